// Draws points with WebGL 2: one draw call a frame, and only when something changed.

import { Pace } from "./map_pace.js";

const VERTEX = `#version 300 es
uniform vec2 scale;
uniform vec2 offset;
uniform float size;
in vec2 place;
in vec4 mark;
out vec3 colour;
out float radius;
void main() {
  colour = mark.rgb;
  radius = size * mark.a * 255.0 / 16.0;
  gl_Position = mark.a == 0.0 ? vec4(9.0, 9.0, 9.0, 1.0) : vec4(place * scale + offset, 0.0, 1.0);
  gl_PointSize = radius + 2.0;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 colour;
in float radius;
out vec4 pixel;
void main() {
  float away = length(gl_PointCoord - 0.5) * (radius + 2.0);
  float inside = clamp(radius * 0.5 - away + 0.5, 0.0, 1.0);
  if (inside == 0.0) discard;
  pixel = vec4(colour * inside, inside);
}`;

// The largest and the smallest points, in CSS pixels.
const LARGEST = 8, SMALLEST = 2.2;
const MORPH_MS = 900;
// How many of the usual points a frame has while the map moves, where more take too long: the time is that of points, not of pixels.
const LIGHT_POINTS = 10_000;
const USUAL_SIZE = 16;

export class MapView {
  // Throws Error where WebGL 2 is missing. camera: { x, y, unit }: what is at the middle, and CSS pixels a unit.
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, powerPreference: "low-power" });
    if (!this.gl) throw new Error("This browser has no WebGL 2, or it is switched off");
    this.camera = { x: 0, y: 0, unit: 1 };
    this.places = new Float32Array();
    this.n = 0;
    this.pace = new Pace(() => this.changed());
    this.setUp();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.restore());
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  setUp() {
    const { gl } = this;
    this.program = linked(gl, VERTEX, FRAGMENT);
    this.uniforms = Object.fromEntries(["scale", "offset", "size"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.buffers = { place: gl.createBuffer(), mark: gl.createBuffer(), order: gl.createBuffer() };
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    attribute(gl, this.program, "place", this.buffers.place, 2, gl.FLOAT, false);
    attribute(gl, this.program, "mark", this.buffers.mark, 4, gl.UNSIGNED_BYTE, true);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.order);
  }

  restore() {
    this.setUp();
    this.upload("place", this.places);
    if (this.marks) this.paint(this.marks, this.order);
    this.changed();
  }

  // Where the points lie: (x, y) each. Points that were shown before move to their new places.
  place(places) {
    const from = this.places;
    const moves = from.length === places.length && from.length > 0 && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.n = places.length / 2;
    if (moves) this.morph(from.slice(), places);
    else this.moveTo(places);
  }

  moveTo(places) {
    this.places = places;
    this.upload("place", places);
    this.changed();
  }

  morph(from, to) {
    const began = performance.now();
    const between = new Float32Array(from.length);
    const step = (now) => {
      const share = Math.min(1, (now - began) / MORPH_MS);
      if (share === 1) return this.moveTo(to);
      const eased = share * share * (3 - 2 * share);
      for (let i = 0; i < between.length; i++) between[i] = from[i] + eased * (to[i] - from[i]);
      this.moveTo(between);
      return requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  // How the points look: red, green, blue and size (16ths of the usual one, 0: hidden) each; order: who lies above.
  paint(marks, order) {
    this.marks = marks;
    this.order = order;
    this.upload("mark", marks);
    const light = lighter(marks, order);
    const both = new Uint32Array(order.length + light.length);
    both.set(order);
    both.set(light, order.length);
    this.nLight = light.length;
    this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, both, this.gl.DYNAMIC_DRAW);
    this.changed();
  }

  upload(name, values) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[name]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.DYNAMIC_DRAW);
  }

  // Draw at the next frame, once for all that changed until then. isMove: the camera did.
  changed(isMove = false) {
    this.isMove ||= isMove;
    this.waiting ??= requestAnimationFrame((now) => {
      const light = this.isMove && this.pace.isLight(now);
      this.draw(light);
      if (this.isMove) this.pace.drew(now, light);
      this.waiting = null;
      this.isMove = false;
    });
  }

  draw(isLight = false) {
    const { gl, canvas, camera } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [sx, sy] = [(2 * camera.unit * ratio) / width, (2 * camera.unit * ratio) / height];
    gl.uniform2f(this.uniforms.scale, sx, sy);
    gl.uniform2f(this.uniforms.offset, -camera.x * sx, -camera.y * sy);
    gl.uniform1f(this.uniforms.size, this.pointSize * ratio);
    if (this.order) gl.drawElements(gl.POINTS, isLight ? this.nLight : this.order.length, gl.UNSIGNED_INT, isLight ? 4 * this.order.length : 0);
    this.onDrawn?.();
  }

  // Of a point, in CSS pixels: smaller where there are many, larger the nearer one looks.
  get pointSize() {
    const area = this.canvas.clientWidth * this.canvas.clientHeight;
    const roomy = 0.5 * Math.sqrt(area / Math.max(1, this.n));
    const near = Math.max(1, this.camera.unit / (this.whole?.unit ?? this.camera.unit));
    return Math.min(LARGEST, Math.max(SMALLEST, Math.min(6, roomy)) * near ** 0.4);
  }

  // Show everything, with a margin.
  fit() {
    const { places, canvas } = this;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < places.length; i += 2) {
      left = Math.min(left, places[i]);
      right = Math.max(right, places[i]);
      low = Math.min(low, places[i + 1]);
      high = Math.max(high, places[i + 1]);
    }
    if (left > right) return;
    const [w, h] = [Math.max(1e-6, right - left), Math.max(1e-6, high - low)];
    const unit = 0.92 * Math.min(canvas.clientWidth / w, canvas.clientHeight / h);
    this.whole = { x: (left + right) / 2, y: (low + high) / 2, unit };
    this.look(this.whole);
  }

  // Whoever sees everything still does when the window changes.
  resized() {
    const sawAll = this.whole && this.whole.unit === this.camera.unit && this.whole.x === this.camera.x && this.whole.y === this.camera.y;
    if (sawAll) this.fit();
    else this.changed();
  }

  look(camera) {
    this.camera = { ...this.camera, ...camera };
    this.changed(true);
    this.onLook?.();
  }

  // A place of the map that stays where it is on the screen while all else comes nearer.
  zoom(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const at = this.toMap(px, py);
    const least = (this.whole?.unit ?? this.camera.unit) / 4;
    const unit = Math.min(least * 4000, Math.max(least, this.camera.unit * factor));
    const [dx, dy] = [px - this.canvas.clientWidth / 2, this.canvas.clientHeight / 2 - py];
    this.look({ unit, x: at.x - dx / unit, y: at.y - dy / unit });
  }

  pan(dx, dy) {
    this.look({ x: this.camera.x - dx / this.camera.unit, y: this.camera.y + dy / this.camera.unit });
  }

  // CSS pixels of the canvas to the map, and back.
  toMap(px, py) {
    const { camera, canvas } = this;
    return { x: camera.x + (px - canvas.clientWidth / 2) / camera.unit, y: camera.y + (canvas.clientHeight / 2 - py) / camera.unit };
  }

  toScreen(x, y) {
    const { camera, canvas } = this;
    return { px: canvas.clientWidth / 2 + (x - camera.x) * camera.unit, py: canvas.clientHeight / 2 - (y - camera.y) * camera.unit };
  }
}

// Some of the points, evenly, and all of those that are larger than usual, in the same order.
function lighter(marks, order) {
  const step = Math.max(1, Math.ceil(order.length / LIGHT_POINTS));
  return order.filter((i, k) => k % step === 0 || marks[4 * i + 3] > USUAL_SIZE);
}

function linked(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`The map cannot be drawn here: ${gl.getProgramInfoLog(program)}`);
  return program;
}

function attribute(gl, program, name, buffer, size, type, normalised) {
  const place = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, size, type, normalised, 0, 0);
}
