import math

import pytest
import torch

from budgetal.measures import bald, chunks
from budgetal.measures.disagreement import kl_to_mean, regional_density, vote_entropy


def committee(members=5, n=40, classes=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(2 * torch.randn(members, n, classes, generator=generator), dim=2)


def unit(n, width, seed=0):
    return torch.nn.functional.normalize(torch.randn(n, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_kl_to_mean_by_hand():
    certain_of_different = [[[1.0, 0.0]], [[0.0, 1.0]]]
    agreed = [[[0.3, 0.7]], [[0.3, 0.7]]]
    # KL((1, 0) ‖ (½, ½)) = log 2 for both members.
    members = torch.tensor(certain_of_different)
    torch.testing.assert_close(kl_to_mean(members), torch.tensor([math.log(2)]))
    torch.testing.assert_close(kl_to_mean(torch.tensor(agreed)), torch.tensor([0.0]))


def test_kl_to_mean_is_the_mean_of_the_members_divergences():
    members = committee()
    mean = members.mean(dim=0)
    expected = torch.stack([(p * (p / mean).log()).sum(dim=1) for p in members]).mean(dim=0)
    torch.testing.assert_close(kl_to_mean(members), expected)


def test_vote_entropy_by_hand():
    def votes(*classes):
        return torch.eye(4)[list(classes)][:, None]

    thirds = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)) / math.log(3)
    for given, expected in (((0, 0, 0), 0.0), ((0, 1, 2), 1.0), ((3, 3, 1), thirds), ((2,), 0.0)):
        torch.testing.assert_close(vote_entropy(votes(*given)), torch.tensor([expected]))


def test_vote_entropy_counts_the_likeliest_class_however_sure():
    members = committee(members=6)
    counts = torch.stack([(members.argmax(dim=2) == label).sum(dim=0) for label in range(4)], dim=1) / 6
    expected = -torch.xlogy(counts, counts).sum(dim=1) / math.log(4)
    torch.testing.assert_close(vote_entropy(members), expected)


def test_blocks_of_rows_change_nothing(monkeypatch):
    members = committee(n=41)
    whole = bald(members), vote_entropy(members)
    monkeypatch.setattr(chunks, "MAX_CELLS", 5 * 4 * 7)
    torch.testing.assert_close((bald(members), vote_entropy(members)), whole)


@pytest.mark.parametrize("measure", [kl_to_mean, vote_entropy, bald])
def test_no_image_has_no_disagreement_and_no_probabilities_are_refused(measure):
    assert measure(torch.zeros(3, 0, 4)).tolist() == []
    with pytest.raises(ValueError, match="sum to 1"):
        measure(torch.full((3, 2, 4), 0.5))


def test_regional_density_is_the_geometric_mean_of_the_overlaps():
    vectors = unit(30, 5)
    divergence = torch.cdist(vectors, vectors).square() / 2  # of unit Gaussians at the vectors
    expected = torch.exp(-3 * divergence).log().mean(dim=1).exp()
    torch.testing.assert_close(regional_density(vectors), expected)


def test_a_committee_of_one_is_checked_too():
    with pytest.raises(ValueError, match="sum to 1"):
        vote_entropy(torch.full((1, 2, 4), 0.5))
