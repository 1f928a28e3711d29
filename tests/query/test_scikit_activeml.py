"""Strategies of scikit-activeml in our loop: the same answers as called by hand, and clear refusals."""

import numpy as np
import pytest
import torch

from budgetal.errors import ConfigError
from budgetal.query import PoolView, select, strategies
from budgetal.query.peers import scikit_activeml
from budgetal.query.peers.scikit_activeml import TAKES

pool_of = pytest.importorskip("skactiveml.pool")


def _view(n=60, n_labelled=12, d=5, m=3, seed=0):
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(n + n_labelled, d)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    probs = torch.from_numpy(rng.dirichlet(np.ones(m), n + n_labelled).astype(np.float32))
    images = torch.from_numpy(embeddings)
    return PoolView(
        probs[:n],
        images[:n],
        torch.arange(n),
        images[n:],
        n_labelled,
        labelled_targets=torch.from_numpy(rng.integers(0, m, n_labelled)),
        labelled_probs=probs[n:],
        committee=torch.from_numpy(rng.dirichlet(np.ones(m), (4, n)).astype(np.float32)),
    )


@pytest.mark.parametrize("name", sorted(set(TAKES) - {"Quire", "CostEmbeddingAL"}))
def test_each_picks_different_images_and_the_same_ones_for_a_seed(name):
    view = _view()
    first, again = (select(f"skactiveml:{name}", view, 6, np.random.default_rng(3)).rows for _ in range(2))
    assert first.tolist() == again.tolist()
    assert len(set(first.tolist())) == 6


def test_margin_picks_what_ours_does():
    theirs = select("skactiveml:UncertaintySampling(method='margin_sampling')", _view(), 8, np.random.default_rng(0))
    ours = select("margin", _view(), 8, np.random.default_rng(0))
    assert set(theirs.rows.tolist()) == set(ours.rows.tolist())


def test_core_set_is_given_the_labelled_images():
    view = _view()
    images = torch.cat([view.embeddings, view.labelled_embeddings]).numpy()
    targets = np.r_[np.full(60, np.nan), view.labelled_targets.numpy()]
    seed = int(np.random.default_rng(0).integers(2**31))
    by_hand = pool_of.CoreSet(random_state=seed).query(X=images, y=targets, batch_size=5)
    assert select("skactiveml:CoreSet", view, 5, np.random.default_rng(0)).rows.tolist() == by_hand.tolist()


def test_it_is_made_once_and_never_asked_twice_for_one_query():
    assert strategies["skactiveml:Badge"] is strategies["skactiveml:Badge"]
    assert not strategies["skactiveml:Badge"].prefix_stable


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("skactiveml:Bagde", "did you mean 'Badge'"),
        ("skactiveml:FourDs", "Unknown class of scikit-activeml 'FourDs'"),
        ("skactiveml:Badge(seed=1)", "Unknown argument of 'skactiveml:Badge(seed=1)' 'seed'"),
        ("skactiveml:Badge(open('x'))", "Cannot read strategy"),
        ("skactiveml:Badge(random_state=open('x'))", "Cannot read strategy"),
        ("skactiveml:", "Cannot read strategy"),
        ("skactiveml:__import__('os')", "Cannot read strategy"),
        ("modal:Margin", "Unknown strategy 'modal:Margin'"),
    ],
)
def test_each_mistake_is_one_line(name, message):
    with pytest.raises(ConfigError) as caught:
        _ = strategies[name]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skactiveml", None)
    with pytest.raises(ConfigError, match=r"budgetal\[skactiveml\]"):
        scikit_activeml.from_name("skactiveml:MaxHerding")
