"""Files in the real formats, with few images: what is read, and that damage of each kind is found."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import ntk_teach as ntk
from ntk_teach.errors import DomainError, NTKError

IMAGES = np.random.default_rng(1).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([5, 0, 4, 1, 9, 2], dtype=np.uint8)
COLORED = np.random.default_rng(2).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    """The IDX format of a byte array: 0, 0, 8, axes, each size as a 32-bit number, highest byte first, the data."""
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


@pytest.fixture
def mnist_folder(tmp_path: Path) -> Path:
    """The training part raw, the test part (its images reversed) compressed."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[::-1])))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[::-1])))
    return tmp_path


def records(labels: list[list[int]], images: np.ndarray) -> bytes:
    """The binary CIFAR format: the label bytes of an image, then its 3072 bytes."""
    return b"".join(bytes(label) + image.tobytes() for label, image in zip(labels, images, strict=True))


@pytest.fixture
def cifar_folder(tmp_path: Path) -> Path:
    """Five batches of one image, a test batch of five, and CIFAR-100 with two label bytes."""
    for i in range(5):
        (tmp_path / f"data_batch_{i + 1}.bin").write_bytes(records([[i]], COLORED[i : i + 1]))
    (tmp_path / "test_batch.bin").write_bytes(records([[9 - i] for i in range(5)], COLORED[5:]))
    (tmp_path / "train.bin").write_bytes(records([[19, 99], [0, 3]], COLORED[:2]))
    (tmp_path / "test.bin").write_bytes(records([[7, 50]], COLORED[2:3]))
    return tmp_path


def test_mnist_files_raw_and_compressed(mnist_folder):
    """Pixel (i, j) of image n stands at x[n, i, j, 0], times 1/255, float32; labels int64; both parts and packings."""
    x, labels = ntk.data.mnist_files(mnist_folder)
    assert x.shape == (6, 28, 28, 1)
    assert x.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert labels.tolist() == LABELS.tolist()
    np.testing.assert_array_equal((x[..., 0] * 255).round().numpy(), IMAGES)
    test, reversed_labels = ntk.data.mnist_files(str(mnist_folder), part="test", dtype=torch.float64)
    assert test.dtype == torch.float64
    np.testing.assert_array_equal((test[..., 0] * 255).round().numpy(), IMAGES[::-1])
    assert reversed_labels.tolist() == LABELS[::-1].tolist()


def test_mnist_files_under_their_other_name(mnist_folder):
    """A dot instead of the hyphen before idx is how some unpackers name them."""
    for kind in ("images-idx3", "labels-idx1"):
        (mnist_folder / f"train-{kind}-ubyte").rename(mnist_folder / f"train-{kind.replace('-idx', '.idx')}-ubyte")
    assert ntk.data.mnist_files(mnist_folder)[1].tolist() == LABELS.tolist()


def test_a_draw_from_the_files(mnist_folder):
    """n images without replacement, each with its own label; a seed fixes which; a smaller draw begins a larger one."""
    x, labels = ntk.data.mnist_files(mnist_folder, n=4, seed=3)
    every, all_labels = ntk.data.mnist_files(mnist_folder)
    where = [int((all_labels == label).nonzero()) for label in labels]
    assert len(set(where)) == 4
    assert torch.equal(x, every[where])
    assert torch.equal(ntk.data.mnist_files(mnist_folder, n=2, seed=3)[0], x[:2])
    draws = {tuple(ntk.data.mnist_files(mnist_folder, n=4, seed=seed)[1].tolist()) for seed in range(5)}
    assert len(draws) > 1


def test_cifar_files(cifar_folder):
    """Color c of pixel (i, j) stands at x[n, i, j, c]; batches in their order; CIFAR-100 gives the fine label."""
    x, labels = ntk.data.cifar10_files(cifar_folder)
    assert x.shape == (5, 32, 32, 3)
    assert x.dtype == torch.float32
    assert labels.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal((x * 255).round().numpy(), COLORED[:5].transpose(0, 2, 3, 1))
    test, test_labels = ntk.data.cifar10_files(cifar_folder, part="test", n=3, seed=1, dtype=torch.float64)
    for image, label in zip(test, test_labels.tolist(), strict=True):
        np.testing.assert_array_equal((image * 255).round().numpy(), COLORED[5 + 9 - label].transpose(1, 2, 0))
    hundred, fine = ntk.data.cifar100_files(cifar_folder)
    assert fine.tolist() == [99, 3]
    np.testing.assert_array_equal((hundred * 255).round().numpy(), COLORED[:2].transpose(0, 2, 3, 1))
    assert ntk.data.cifar100_files(cifar_folder, part="test")[1].tolist() == [50]


def changed(name: str, change) -> object:
    """A change of one file's bytes."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


TRAIN, TRAIN_LABELS, PACKED = "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz"
DAMAGE = {
    # what happened to the folder, which part is read, the kind of error, and what its message must show
    "a missing file": (lambda f: (f / TRAIN).unlink(), "train", NTKError, f"file {TRAIN} or .*t10k-images"),
    "missing labels": (lambda f: (f / TRAIN_LABELS).unlink(), "train", NTKError, f"{TRAIN_LABELS} or .*{TRAIN}"),
    "truncated": (changed(TRAIN, lambda b: b[:-1]), "train", DomainError, f"{TRAIN}: .*4720 bytes.*received 4719"),
    "too long": (changed(TRAIN, lambda b: b + b"x"), "train", DomainError, "received 4721 bytes"),
    "an empty file": (changed(TRAIN, lambda b: b""), "train", DomainError, "magic number 00000803, received an empty"),
    "only a header": (changed(TRAIN, lambda b: b[:10]), "train", DomainError, "header of 16 bytes, received 10"),
    "labels for images": (changed(TRAIN, lambda b: idx(LABELS)), "train", DomainError, "00000803, received 00000801"),
    "a web page": (changed(TRAIN, lambda b: b"<html>"), "train", DomainError, "received 3c68746d"),
    "no image": (changed(TRAIN, lambda b: idx(IMAGES[:0])), "train", DomainError, "none of them 0"),
    "sizes beyond memory": (
        changed(TRAIN, lambda b: b[:4] + b"\x7f" * 12 + b[16:]), "train", DomainError, "received 4720 bytes"),
    "fewer labels": (changed(TRAIN_LABELS, lambda b: idx(LABELS[:4])), "train", DomainError, "6 labels.*received 4"),
    "a label of 11": (changed(TRAIN_LABELS, lambda b: idx(LABELS + 2)), "train", DomainError, "0 to 9, received 11"),
    "truncated gzip": (changed(PACKED, lambda b: b[:-40]), "test", DomainError, "whole gzip file"),
    "not gzip": (changed(PACKED, lambda b: b"<html>"), "test", DomainError, "whole gzip file"),
    "flipped bits in gzip": (
        changed(PACKED, lambda b: b[:40] + bytes(255 - v for v in b[40:60]) + b[60:]), "test", DomainError, "gzip"),
    "no kind of block": (changed(PACKED, lambda b: b[:10] + b"\xff" + b[11:]), "test", DomainError, "block type"),
    "wrong checksum": (changed(PACKED, lambda b: b[:-8] + b"abcdefgh"), "test", DomainError, "whole gzip file"),
}  # fmt: skip


@pytest.mark.boundary
@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_mnist_files_are_refused(case, mnist_folder):
    """Each kind of damage is found, and the message names the file, what was expected and what was there."""
    damage, part, kind, shown = DAMAGE[case]
    damage(mnist_folder)
    with pytest.raises(kind) as caught:
        ntk.data.mnist_files(mnist_folder, part=part)
    assert type(caught.value) is kind
    assert re.search(f"^data.mnist_files, .*{shown}", str(caught.value)), str(caught.value)


CIFAR_DAMAGE = {
    "truncated": (changed("data_batch_3.bin", lambda b: b[:-1]), DomainError, "3.bin: .*3073.*received 3072"),
    "empty": (changed("data_batch_3.bin", lambda b: b""), DomainError, "received 0 bytes"),
    "a label of 10": (changed("data_batch_5.bin", lambda b: b"\x0a" + b[1:]), DomainError, "0 to 9, received 10"),
    "a missing batch": (lambda f: (f / "data_batch_2.bin").unlink(), NTKError, "data_batch_2.bin, received a folder"),
    "the version for Python": (
        lambda f: [p.rename(p.with_suffix("")) for p in f.glob("*.bin")], NTKError,
        "received a folder with data_batch_1, .*cifar-10-binary.tar.gz.*pickles"),
}  # fmt: skip


@pytest.mark.boundary
@pytest.mark.parametrize("case", CIFAR_DAMAGE)
def test_damaged_cifar_files_are_refused(case, cifar_folder):
    """Truncated, empty, of another kind, absent, or pickled: the message says which file and what to fetch."""
    damage, kind, shown = CIFAR_DAMAGE[case]
    damage(cifar_folder)
    with pytest.raises(kind) as caught:
        ntk.data.cifar10_files(cifar_folder)
    assert type(caught.value) is kind
    assert re.search(f"^data.cifar10_files, .*{shown}", str(caught.value)), str(caught.value)


@pytest.mark.boundary
def test_cifar100_has_two_label_bytes(cifar_folder):
    """A CIFAR-10 batch under the name of CIFAR-100 does not fit its records; coarse labels are checked too."""
    (cifar_folder / "train.bin").write_bytes((cifar_folder / "test_batch.bin").read_bytes())
    with pytest.raises(DomainError, match="whole records of 3074 bytes"):
        ntk.data.cifar100_files(cifar_folder)
    (cifar_folder / "test.bin").write_bytes(records([[20, 5]], COLORED[:1]))
    with pytest.raises(DomainError, match="labels from 0 to 19, received 20"):
        ntk.data.cifar100_files(cifar_folder, part="test")


@pytest.mark.boundary
@pytest.mark.parametrize("read", [ntk.data.mnist_files, ntk.data.cifar10_files, ntk.data.cifar100_files])
def test_a_folder_that_is_not_there(read, tmp_path):
    """No folder, a file in its place, and an empty folder: three sentences, and nothing is downloaded."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    for place, received in (
        ("absent", "nothing of that name"),
        ("file", "a file of that name"),
        ("empty", "an empty folder"),
    ):
        with pytest.raises(NTKError, match=f"received {received}; .*nothing is downloaded"):
            read(tmp_path / place)


@pytest.mark.boundary
def test_more_images_than_the_file_has_and_other_wrong_arguments(mnist_folder):
    """n above the number of images, whole-number pixels, a negative seed, a part that does not exist."""
    for arguments, shown in (
        ({"n": 7}, "at most 6 images, received 7"),
        ({"n": 0}, "received 0"),
        ({"dtype": torch.int64}, "received torch.int64"),
        ({"n": 2, "seed": -1}, "received -1"),
        ({"part": "validation"}, "received 'validation'"),
    ):
        with pytest.raises(DomainError, match=shown):
            ntk.data.mnist_files(mnist_folder, **arguments)
    with pytest.raises(DomainError, match="received 'validation'"):
        ntk.data.cifar10_files(mnist_folder, part="validation")
