# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write docs/reproduction.md: the paper's claims next to the results of this package.

``mfs-seg report``

The page is made of the results under docs/results/, each of which names the command that wrote it.
--run first measures the missing results that need no third-party data.
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
from mfs_seg_core.util.table import cell, markdown_table

DOCS = Path(__file__).parents[2] / 'docs'
PAPER = 'Su et al., Neural Networks 176, 2024'
# Depths of the table of stacks.
STACK_DEPTHS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Claim:
    """
    A claim of the paper, and the result that supports or refutes it.

    :param title: the claim, in a line.
    :param result: name of the result, a file under docs/results/.
    :param command: verb and options of ``mfs-seg`` that measure it.
    :param show: returns Markdown for the result.
    :param own_data: whether the command needs no third-party data, so that --run can measure it.
    """

    title: str
    result: str
    command: str
    show: Callable[[dict], str]
    own_data: bool = True


def show_profile(result: dict) -> str:
    """Write the table of parameters, operations and energy, with U-Net's."""
    unet = result['unet']
    rows = [['U-Net', f'{unet["parameters"]:,}', f'{unet["macs"] / 1e6:,.0f}', '-', '-',
             f'{unet["energy_mj"]:.1f}', '1']]
    for name, mode in result.items():
        if '@' in name:
            # Older results call fusion 'both'.
            rows.append([
                f'`{result["name"]}`, {name.replace("both", "fusion")}',
                f'{result["parameters"]:,}', f'{mode["macs"] / 1e6:.1f}',
                f'{mode["acs"] / 1e6:,.0f}', cell(mode['firing_rate'], '.3f'),
                f'{mode["energy_mj"]:.3f}', f'{unet["energy_mj"] / mode["energy_mj"]:.0f}'])
    width, height = result['input_size']
    return markdown_table(['', 'parameters', 'MAC, 10^6', 'AC, 10^6', 'firing rate',
                           'energy per frame, mJ', 'energy of U-Net / this'], rows) + (
        f'\n\nU-Net has {result["ratio_parameters"]:.1f} times the parameters. Frames are '
        f'{width}x{height}; a MAC takes {result["mac_pj"]} pJ, an AC {result["ac_pj"]} pJ. '
        'stream@1 is one step for each frame with the state kept, as in the node; repeat@N is N '
        'steps of each frame from rest. The sensor is a camera unless the table names another. ACs '
        'count unit spikes: a spike of value k counts k times. The published ratio comes from the '
        "authors' own counts, which are not public.")


def show_comparison(result: dict) -> str:
    """Write the table of quality and cost of U-Net and MFS-Seg, trained with the same settings."""
    models = result['models']
    unet = models['unet']
    rows = [['U-Net' if name == 'unet' else f'`{name}`', f'{row["miou"]:.3f}',
             f'{row["per_image_score"]:.3f}', f'{row["pixel_accuracy"]:.3f}',
             f'{row["parameters"]:,}', f'{row["macs"] / 1e6:,.1f}', f'{row["acs"] / 1e6:,.0f}',
             f'{row["energy_mj"]:.2f}', f'{row["latency_ms"]:.0f}']
            for name, row in models.items()]
    comparisons = []
    for name, row in models.items():
        if name != 'unet':
            difference = row['miou'] - unet['miou']
            comparisons.append(
                f'`{name}` is {"at or above" if difference >= 0 else "below"} U-Net '
                f'({100 * difference:+.1f} points of mIoU) with {row["ratio_parameters"]:.0f} '
                f'times fewer parameters and {row["ratio_energy"]:.0f} times less energy')
    width, height = result['input_size']
    return markdown_table(['', 'mIoU', 'per-image score', 'pixel accuracy', 'parameters',
                           'MAC, 10^6', 'AC, 10^6', 'energy per frame, mJ',
                           'ms per frame, one CPU thread'], rows) + (
        f'\n\nAfter {unet["epochs"]} epochs ({unet["steps"]} steps of {result["batch_size"]} '
        f'stills) from random weights, {"; ".join(comparisons)}. So few epochs do not show the '
        f'final quality of any of them. The input is {width}x{height}; quality is that of '
        f'{unet["frames"]} frames, each from rest (`paper` with its five steps), cost that of '
        f'{result["cost_frames"]} of them.')


def show_blocks(result: dict) -> str:
    """Write the table of blocks trained with the same budget."""
    rows = [[name, f'{row["miou"]:.3f}', f'{row["loss"]:.3f}', f'{row["parameters"]:,}',
             f'{1e3 * row["energy_mj"]:.1f}', f'{row["firing_rate"]:.3f}', f'{row["silent"]:.1%}',
             f'{row["saturated"]:.1%}', f'{row["snr_db"]:.1f}']
            for name, row in result['results'].items()]
    width, height = result['size']
    efs_res, ms_res = result['results']['EFS-Res'], result['results']['MS-Res']
    return markdown_table(['block', 'mIoU', 'training loss', 'parameters', 'energy per frame, uJ',
                           'firing rate', 'silent channels', 'saturated channels', 'SNR, dB'],
                          rows) + (
        f'\n\n{result["steps"]} steps each, on {result["frames"]} stills of Street of '
        f'{width}x{height}. The SNR is the power of a spike map over its variance between noisy '
        f'copies of a frame. Compared with MS-Res, EFS-Res has '
        f'{ms_res["parameters"] / efs_res["parameters"]:.1f} times fewer parameters, takes '
        f'{ms_res["energy_mj"] / efs_res["energy_mj"]:.1f} times less energy, and differs by '
        f'{100 * (efs_res["miou"] - ms_res["miou"]):+.1f} points of mIoU and '
        f'{efs_res["snr_db"] - ms_res["snr_db"]:+.1f} dB.'
        '\n\n![Firing rates over channels](blocks.png)')


def show_depth(result: dict) -> str:
    """Write the table of loss and mIoU by depth, with and without shortcuts."""
    kinds = result['results']
    depths = list(next(iter(kinds.values())))
    rows = [[f'{name}, {title}', *(f'{by_depth[depth][key]:.3f}' for depth in depths)]
            for name, by_depth in kinds.items()
            for title, key in (('training loss', 'loss'), ('mIoU', 'miou'))]
    return markdown_table(['blocks at each scale', *depths], rows) + (
        f'\n\n{result["steps"]} steps each.\n\n![Loss, mIoU and gradients by depth](depth.png)')


def show_isometry(result: dict) -> str:
    """Write the table of phi of each block, measured and predicted, and that of stacks."""
    rows = [[name, f'{row["phi"]:.3f}', f'{row["spread"]:.3f}', f'{row["predicted"]:.3f}']
            for name, row in result['blocks'].items()]
    text = markdown_table(['block', 'phi', 'spread', 'predicted phi'], rows)
    if stacks := result['stacks']:
        depths = [depth for depth in STACK_DEPTHS if depth <= len(stacks['efs_res'])]
        text += '\n\n' + markdown_table(['blocks in a stack', *map(str, depths)], [
            [f'phi, `{name}`', *(f'{phis[depth - 1]:.3g}' for depth in depths)]
            for name, phis in stacks.items()])
    return text


def show_edges(result: dict) -> str:
    """Write the share of spikes at edges, in early and in late layers."""
    layers = list(result['layers'].items())
    top = sorted(layers, key=lambda item: -item[1]['at_edges'])[:5]
    third = max(1, len(layers) // 3)

    def mean(part) -> float:
        return sum(layer['at_edges'] for _, layer in part) / len(part)
    return (f'{result["pixels_at_edges"]:.1%} of all pixels lie within two pixels of a border '
            f'between classes. Of the spikes, {mean(layers[:third]):.1%} lie there in the first '
            f'third of the layers and {mean(layers[-third:]):.1%} in the last third. The highest '
            'shares: ' + ', '.join(f'{name} {layer["at_edges"]:.1%}' for name, layer in top)
            + '.\n\n![Spike maps](spikes.png)\n\n![Firing rates and spikes at edges](rates.png)')


CLAIMS = (
    Claim('Up to 31 times fewer parameters and over 13 times less energy than U-Net', 'profile',
          'profile --weights street --against unet --data street --events', show_profile),
    Claim('Quality of U-Net with far fewer parameters and less energy: CamVid', 'beside_camvid',
          'compare --data camvid --root DIR', show_comparison, own_data=False),
    Claim('Quality of U-Net with far fewer parameters and less energy: Street', 'beside_street',
          'compare --data street --set epochs=3', show_comparison),
    Claim('Blocks whose spiking feature maps are better distributed, with less spiking noise',
          'blocks', 'ablation blocks --picture docs/blocks.png', show_blocks),
    Claim('No degradation with depth', 'depth', 'ablation depth --picture docs/depth.png',
          show_depth),
    Claim('Block dynamical isometry, before training', 'isometry',
          'isometry --config fast --depth 16', show_isometry),
    Claim('Block dynamical isometry, after training', 'isometry_trained',
          'isometry --weights street', show_isometry),
    Claim('Edges in the spike maps', 'layers',
          'visualize --weights street --input street --output docs/results', show_edges),
)

NOT_COMPARED = """## Not compared

- The paper's tables of mIoU, parameters and energy on CamVid, DDD17 and DSEC-Semantic are not
  public, and neither are the model and the order of layers in EFS-Res. The public sources are the
  abstract and a script that names a checkpoint (0.565, in a metric that is a mean over images and
  counts a class in neither mask nor truth as right).
- The final quality of U-Net and MFS-Seg: {comparison}
- DDD17 and DSEC-Semantic: one command each reads them and trains on them; they have not been
  measured yet.
"""


def not_compared(folder: Path) -> str:
    """Return the section on missing comparisons, for the results in a folder."""
    complete = all((folder / f'{claim.result}.json').is_file() for claim in CLAIMS
                   if claim.show is show_comparison)
    return NOT_COMPARED.format(comparison=(
        'only the few epochs above, with the same settings, are measured.' if complete else
        'they have not been measured yet on both data sets, not even after few epochs.'))


def page(folder: Path) -> str:
    """Return the page for the results in a folder."""
    parts = [f"# The paper's claims, measured\n\n{PAPER}. `mfs-seg report` writes this page from "
             '[results](results), each of which names its command, commit and data. '
             '`python -m mfs_seg_core.NAME` is the former name of a verb of `mfs-seg`.\n']
    for claim in CLAIMS:
        path = folder / f'{claim.result}.json'
        parts.append(f'## {claim.title}\n')
        if not path.is_file():
            parts.append(f'Not measured here yet: `mfs-seg {claim.command}`\n')
            continue
        result = json.loads(path.read_text())
        parts.append(claim.show(result) + '\n')
        parts.append(f'`{result["command"]}`, commit {result["commit"]}, data '
                     f'{result["data_sha256"]}\n')
    return '\n'.join([*parts, not_compared(folder)])


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg report``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg report', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--docs', type=Path, default=DOCS, metavar='DIR',
                        help='folder of the page, and of the results under results/')
    parser.add_argument('--run', action='store_true',
                        help='first measure the missing results that need no third-party data')
    options = parser.parse_args(arguments)
    results = options.docs / 'results'
    if not results.is_dir() and not options.run:
        print(f"report: there are no results in '{results}': give their folder as --docs, or --run",
              file=sys.stderr)
        return 1
    for claim in CLAIMS if options.run else ():
        path = results / f'{claim.result}.json'
        if claim.own_data and not path.is_file():
            print(claim.title, flush=True)
            # visualize has no --json: it writes layers.json to its --output.
            output = [] if claim.result == 'layers' else ['--json', str(path)]
            done = subprocess.run(
                [sys.executable, '-m', 'mfs_seg_core', *shlex.split(claim.command), *output],
                cwd=options.docs.resolve().parent)
            if done.returncode:
                return done.returncode
    options.docs.mkdir(parents=True, exist_ok=True)
    try:
        text = page(results)
    except (OSError, ValueError, KeyError) as error:
        print(f'report: a result in {results} cannot be read ({error!r}): measure it again',
              file=sys.stderr)
        return 1
    with written_aside(options.docs / 'reproduction.md') as part:
        part.write_text(text)
    print(f'In {options.docs}: reproduction.md')
    return 0


if __name__ == '__main__':
    sys.exit(main())
