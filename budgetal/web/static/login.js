// Whoever comes by a link from elsewhere shows no cookie at first: asked again from here, those who are signed in go on.
const reply = await fetch("/login", { redirect: "manual", credentials: "same-origin" });
if (reply.type === "opaqueredirect") location.replace("/annotate");
