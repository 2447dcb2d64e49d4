import torch

from randformer.problems.highway import data


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_sum_is_of_one_marked_number_in_either_half():
    seen, targets = data.sums(9, 500, generator())
    numbers, marks = seen.unbind(-1)
    assert (marks[:, :4].sum(1) == 1).all()
    assert (marks[:, 4:].sum(1) == 1).all()
    assert set(marks.flatten().tolist()) == {0.0, 1.0}
    assert set(marks.sum(0).nonzero().flatten().tolist()) == set(range(9))
    assert torch.equal((numbers * marks).sum(1), targets)
    assert abs((targets - 1).square().mean() - 1 / 6) < 0.03


def test_no_image_is_both_learned_and_tested():
    train, test = data.split(3)
    assert len(test) == data.TESTED
    assert sorted(torch.cat([train, test]).tolist()) == list(range(1797))
    assert not torch.equal(test, data.split(4)[1])


def test_images_are_seen_at_once_or_pixel_by_pixel():
    at_once, targets = data.tested("digits", 16, 0)
    one_by_one, same = data.tested("pixels", 64, 0)
    assert at_once.shape == (data.TESTED, 64)
    assert torch.equal(one_by_one.squeeze(-1), at_once)
    assert torch.equal(targets, same)
    assert 0 <= at_once.min() < at_once.max() == 1
    learned, _ = data.drawn("digits", 16, 0, 50, generator())
    assert not (learned.unsqueeze(1) == at_once).all(-1).any()


def test_steps_draw_anew_and_tests_do_not():
    g = generator()
    assert not torch.equal(data.drawn("adding", 8, 0, 4, g)[0], data.drawn("adding", 8, 0, 4, g)[0])
    assert torch.equal(data.tested("adding", 8, 1)[0], data.tested("adding", 8, 1)[0])


def test_what_is_right():
    said = torch.tensor([[1.0], [1.03], [1.05]])
    assert data.right(said, torch.ones(3)).tolist() == [True, True, False]
    assert data.right(torch.eye(2), torch.tensor([0, 0])).tolist() == [True, False]
