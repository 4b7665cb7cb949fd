# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write docs/reproduction.md: the paper's claims beside what was measured here.

``python -m mfs_seg_core.reproduce``

Reads the results under docs/results/, each written by the command that stands in it; with --run,
makes those first that need no data of others and are not there.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mfs_seg_core.util.files import written_aside

DOCS = Path(__file__).parents[2] / 'docs'
PAPER = 'Su et al., Neural Networks 176, 2024'


@dataclass(frozen=True)
class Claim:
    """
    A claim of the paper, and what speaks for or against it.

    :param title: the claim, in a line.
    :param result: name of the result, a file under docs/results/.
    :param command: arguments after ``python -m`` that make it.
    :param show: gives Markdown for the result.
    :param ours: the command needs no data of others, so that --run makes it.
    """

    title: str
    result: str
    command: str
    show: Callable[[dict], str]
    ours: bool = True


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def show_profile(result: dict) -> str:
    """Parameters, operations and energy beside U-Net's."""
    unet, modes = result['unet'], [name for name in result if '@' in name]
    rows = [['U-Net', f'{unet["parameters"]:,}', f'{unet["macs"] / 1e6:,.0f}', '-', '-',
             f'{unet["energy_mj"]:.1f}', '1']]
    rows += [[f'`{result["name"]}`, {mode}', f'{result["parameters"]:,}',
              f'{result[mode]["macs"] / 1e6:.1f}', f'{result[mode]["acs"] / 1e6:,.0f}',
              f'{result[mode]["firing_rate"]:.3f}', f'{result[mode]["energy_mj"]:.3f}',
              f'{unet["energy_mj"] / result[mode]["energy_mj"]:.0f}'] for mode in modes]
    width, height = result['input_size']
    return table(['', 'parameters', 'MAC, 10^6', 'AC, 10^6', 'firing rate', 'mJ a frame',
                  'times less energy'], rows) + (
        f'\n\n{result["ratio_parameters"]:.1f} times fewer parameters, frames of {width}x{height}, '
        f'{result["mac_pj"]} pJ a MAC and {result["ac_pj"]} pJ an AC. stream@1 is one step a frame '
        'with the state kept, as the node runs, of a camera unless it says otherwise. ACs are unit '
        "spikes: a spike of value k counts k times. The published ratio is of the authors' own "
        'counts, which are not public.')


def show_beside(result: dict) -> str:
    """Quality and cost of U-Net and of ours, trained alike."""
    models = result['models']
    unet = models['unet']
    rows = [[{'unet': 'U-Net'}.get(name, f'`{name}`'), f'{row["miou"]:.3f}',
             f'{row["per_image_score"]:.3f}', f'{row["pixel_accuracy"]:.3f}',
             f'{row["parameters"]:,}', f'{row["macs"] / 1e6:,.1f}', f'{row["acs"] / 1e6:,.0f}',
             f'{row["energy_mj"]:.2f}', f'{row["latency_ms"]:.0f}']
            for name, row in models.items()]
    said = '; '.join(
        f'`{name}` is {"at or above" if row["miou_beside_unet"] >= 0 else "below"} U-Net '
        f'({100 * row["miou_beside_unet"]:+.1f} points of mIoU) with '
        f'{row["ratio_parameters"]:.0f} times fewer parameters and {row["ratio_energy"]:.0f} times '
        'less energy' for name, row in models.items() if name != 'unet')
    width, height = result['input_size']
    return table(['', 'mIoU', 'per-image score', 'pixel accuracy', 'parameters', 'MAC, 10^6',
                  'AC, 10^6', 'mJ a frame', 'ms a frame, one CPU thread'], rows) + (
        f'\n\nAfter {unet["epochs"]} epochs ({unet["steps"]} steps of {result["batch_size"]} '
        f'stills) from random weights, {said}. So few epochs say little of what each reaches in '
        f'the end. Input of {width}x{height}; {unet["frames"]} frames, each from rest, `paper` '
        f'with its five steps; cost is that of {result["cost_frames"]} of them.')


def show_blocks(result: dict) -> str:
    """Blocks compared with one budget."""
    rows = [[name, f'{row["miou"]:.3f}', f'{row["loss"]:.3f}', f'{row["parameters"]:,}',
             f'{1e3 * row["energy_mj"]:.1f}', f'{row["firing_rate"]:.3f}', f'{row["silent"]:.1%}',
             f'{row["saturated"]:.1%}', f'{row["snr_db"]:.1f}']
            for name, row in result['results'].items()]
    width, height = result['size']
    return table(['block', 'mIoU', 'training loss', 'parameters', 'uJ a frame', 'firing rate',
                  'silent channels', 'saturated', 'SNR, dB'], rows) + (
        f'\n\n{result["steps"]} steps each, on {result["frames"]} stills of Street of '
        f'{width}x{height}. SNR: power of a spike map over its variance between noisy copies of '
        f'a frame. {_against(result["results"])}\n\n![Firing rates over channels](blocks.png)')


def _against(results: dict[str, dict]) -> str:
    """Say in a sentence what EFS-Res saves and what it costs."""
    ours, theirs = results['EFS-Res'], results['MS-Res']
    return (f'Beside MS-Res, EFS-Res has {theirs["parameters"] / ours["parameters"]:.1f} times '
            f'fewer parameters, takes {theirs["energy_mj"] / ours["energy_mj"]:.1f} times less '
            f'energy, and differs by {100 * (ours["miou"] - theirs["miou"]):+.1f} points of mIoU '
            f'and {ours["snr_db"] - theirs["snr_db"]:+.1f} dB.')


def show_depth(result: dict) -> str:
    """Loss and mIoU by depth, with shortcuts and without."""
    kinds = result['results']
    depths = list(next(iter(kinds.values())))
    rows = [[f'{name}, {what}', *(form.format(by_depth[depth][key]) for depth in depths)]
            for name, by_depth in kinds.items()
            for what, key, form in (('training loss', 'loss', '{:.3f}'),
                                    ('mIoU', 'miou', '{:.3f}'))]
    return table(['blocks a stage', *depths], rows) + (
        f'\n\n{result["steps"]} steps each.\n\n![Loss, mIoU and gradients by depth](depth.png)')


def show_isometry(result: dict) -> str:
    """phi of each block, measured and predicted."""
    rows = [[name, f'{row["phi"]:.3f}', f'{row["spread"]:.3f}', f'{row["predicted"]:.3f}']
            for name, row in result['blocks'].items()]
    text = table(['block', 'phi', 'spread', 'predicted'], rows)
    if result['stacks']:
        depths = [depth for depth in (1, 2, 4, 8, 16)
                  if depth <= len(result['stacks']['efs_res'])]
        text += '\n\n' + table(['blocks in a stack', *map(str, depths)], [
            [f'phi, {name}', *(f'{phis[depth - 1]:.3g}' for depth in depths)]
            for name, phis in result['stacks'].items()])
    return text


def show_edges(result: dict) -> str:
    """Share of spikes at edges, early against late layers."""
    layers = list(result['layers'].items())
    top = sorted(layers, key=lambda item: -item[1]['at_edges'])[:5]
    third = max(1, len(layers) // 3)

    def mean(part) -> float:
        return sum(layer['at_edges'] for _, layer in part) / len(part)
    return (f'Of all pixels {result["pixels_at_edges"]:.1%} lie within two pixels of a border '
            f'between classes; of the spikes, {mean(layers[:third]):.1%} in the first third of the '
            f'layers and {mean(layers[-third:]):.1%} in the last. Most: '
            + ', '.join(f'{name} {layer["at_edges"]:.1%}' for name, layer in top)
            + '.\n\n![Spike maps](spikes.png)\n\n![Rates and edges](rates.png)')


CLAIMS = (
    Claim('Up to 31 times fewer parameters and over 13 times less energy than U-Net', 'profile',
          'mfs_seg_core.analysis.profile --weights street --against unet --data street --events',
          show_profile),
    Claim('Quality of U-Net with far fewer parameters and less energy: CamVid', 'beside_camvid',
          'mfs_seg_core.paper.comparison --data camvid --root DIR', show_beside, ours=False),
    Claim('Quality of U-Net with far fewer parameters and less energy: Street', 'beside_street',
          'mfs_seg_core.paper.comparison --data street --set epochs=3', show_beside),
    Claim('Blocks whose spiking feature maps are better distributed, with less spiking noise',
          'blocks', 'mfs_seg_core.paper.ablation blocks --picture docs/blocks.png', show_blocks),
    Claim('No degradation with depth', 'depth',
          'mfs_seg_core.paper.ablation depth --picture docs/depth.png', show_depth),
    Claim('Block dynamical isometry, before training', 'isometry',
          'mfs_seg_core.analysis.isometry --config fast --depth 16', show_isometry),
    Claim('Block dynamical isometry, after training', 'isometry_trained',
          'mfs_seg_core.analysis.isometry --weights street', show_isometry),
    Claim('Edges in the spike maps', 'layers',
          'mfs_seg_core.analysis.visualize --weights street --input street --output docs/results',
          show_edges),
)

NOT_COMPARED = """## What could not be compared

- The paper's tables of mIoU, parameters and energy on CamVid, DDD17 and DSEC-Semantic are not
  public, nor are the model and the order of layers in EFS-Res. What is known of them is the
  abstract and a script that names a checkpoint (0.565, of a metric that is a mean over images, and
  counts a class that is in neither mask nor truth as right).
- What U-Net and MFS-Seg reach in the end: {beside}
- DDD17 and DSEC-Semantic: both are read and trained on by one command each, but not yet measured.
"""


def not_compared(folder: Path) -> str:
    """Say what is missing beside the results in a folder."""
    there = all((folder / f'{claim.result}.json').is_file() for claim in CLAIMS
                if claim.show is show_beside)
    return NOT_COMPARED.format(beside=(
        'of both, trained alike, only the few epochs above are measured.' if there else
        'the two have not been measured yet on both data sets, not even after few epochs.'))


def text(folder: Path) -> str:
    """Give the document for the results in a folder."""
    parts = [f"# The paper's claims, measured\n\n{PAPER}. This page is written by "
             '`python -m mfs_seg_core.reproduce` from [results](results), each of which names its '
             'command, commit and data.\n']
    for claim in CLAIMS:
        path = folder / f'{claim.result}.json'
        parts.append(f'## {claim.title}\n')
        if not path.is_file():
            parts.append(f'Not measured here yet: `python -m {claim.command}`\n')
            continue
        result = json.loads(path.read_text())
        parts.append(claim.show(result) + '\n')
        parts.append(f'`{result["command"]}`, commit {result["commit"]}, data '
                     f'{result["data_sha256"]}\n')
    return '\n'.join([*parts, not_compared(folder)])


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.reproduce', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--docs', type=Path, default=DOCS, metavar='DIR',
                        help='folder of the document and, under results, of what it is made of')
    parser.add_argument('--run', action='store_true', help='measure what is missing')
    options = parser.parse_args(arguments)
    results = options.docs / 'results'
    for claim in CLAIMS if options.run else ():
        path = results / f'{claim.result}.json'
        if claim.ours and not path.is_file():
            print(claim.title, flush=True)
            # Visualize writes its figures under this very name.
            given = [] if claim.result == 'layers' else ['--json', str(path)]
            done = subprocess.run([sys.executable, '-m', *shlex.split(claim.command), *given],
                                  cwd=options.docs.resolve().parent)
            if done.returncode:
                return done.returncode
    options.docs.mkdir(parents=True, exist_ok=True)
    try:
        document = text(results)
    except (OSError, ValueError, KeyError) as error:
        print(f'reproduce: a result in {results} cannot be read ({error!r}): measure it again',
              file=sys.stderr)
        return 1
    with written_aside(options.docs / 'reproduction.md') as part:
        part.write_text(document)
    print(f'In {options.docs}: reproduction.md')
    return 0


if __name__ == '__main__':
    sys.exit(main())
