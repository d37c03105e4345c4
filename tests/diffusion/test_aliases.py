"""Names resolve to one solver and one grid; what has no effect is an error."""

from __future__ import annotations

import pickle

import pytest
import torch

from mezzotint.diffusion import grid
from mezzotint.diffusion.aliases import GRID_ROWS, ROWS, choices, from_diffusers, resolve
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.placement import GRIDS
from mezzotint.diffusion.sample import sample, start
from mezzotint.diffusion.schedule import Cosine, Flow, Karras, scaled_linear
from mezzotint.diffusion.solver.churn import Churn
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.named import SOLVERS
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.errors import UsageError

TABLE = scaled_linear()
BOTTOM, TOP = grid.noise_range(TABLE.at(torch.tensor([0.0, 999.0], dtype=torch.float64)))
KARRAS = grid.indexed(grid.karras(20, BOTTOM, TOP), TABLE)


def same(a: Level, b: Level) -> bool:
    return torch.allclose(a.logsnr, b.logsnr, atol=1e-9)


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.tool != "diffusers"])
def test_every_name_makes_a_picture(name: str) -> None:
    """On Stable Diffusion's table, with an oracle in place of the network."""
    choice = resolve(name)
    levels = choice.grid(TABLE, 5)
    noise = Noise((0, 1), dtype=torch.float64)
    oracle = GaussianOracle(torch.tensor(0.3, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64))
    x = start(noise, (4,), levels)
    out = sample(oracle, x, levels, choice.solver, noise, {})
    assert bool(out.isfinite().all())
    assert choice.solver_name in SOLVERS
    assert choice.grid_name in GRIDS


@pytest.mark.parametrize("row", GRID_ROWS, ids=lambda row: f"{row.tool} {row.name}")
def test_every_grid_has_its_steps(row) -> None:
    option = {"mezzotint": "grid", "comfyui": "scheduler", "a1111": "schedule_type"}[row.tool]
    levels = resolve("dpmpp-2m", {option: row.name}).grid(TABLE, 10)
    assert len(levels) == 11
    ratio = levels.sigma / levels.alpha
    assert bool((ratio[1:] < ratio[:-1]).all())


def test_the_same_pair_under_three_names() -> None:
    a1111 = resolve("DPM++ 2M Karras")
    comfy = resolve("dpmpp_2m", {"scheduler": "karras"})
    own = resolve("dpmpp-2m", {"grid": "karras", "final": "full"})
    assert a1111.solver == comfy.solver == own.solver == DPMpp2M(final="full")
    for choice in (a1111, comfy, own):
        assert (choice.solver_name, choice.grid_name) == ("dpmpp-2m", "karras")
        assert same(choice.grid(TABLE, 20), KARRAS)


def test_comfyui_feeds_whole_indices_and_a1111_fractional_ones() -> None:
    whole = resolve("dpmpp_2m", {"scheduler": "karras"}).grid(TABLE, 20).index
    fractional = resolve("DPM++ 2M Karras").grid(TABLE, 20).index
    assert whole is not None
    assert fractional is not None
    assert torch.equal(whole, fractional.round())
    assert not torch.equal(whole, fractional)


@pytest.mark.parametrize(
    ("name", "solver", "grid_name"),
    [
        ("Euler a", EulerAncestral(), "uniform"),
        ("euler a", EulerAncestral(), "uniform"),
        ("  dpm++   2m sde heun ", DPMpp2M("heun", 1.0, final="full"), "exponential"),
        ("dpm++2m", DPMpp2M(final="full"), "karras"),
        ("DPM++ 3M SDE Exponential", DPMpp3M(eta=1.0, variant="heun", final="full"), "exponential"),
        ("DPM++ 2M SGM Uniform", DPMpp2M(final="full"), "sgm-uniform"),
        ("Euler Automatic", Euler(), "uniform"),
        ("Euler", Euler(), "uniform"),
        ("euler", Euler(), "auto"),
        ("euler karras", Euler(), "karras"),
        ("uni_pc_bh2", UniPC(3), "uniform"),
        ("unipc", UniPC(), "auto"),
        ("ddim", DDIM(), "auto"),
        ("dpmpp-3m-exact", DPMpp3M("exact"), "auto"),
    ],
)
def test_names(name: str, solver, grid_name: str) -> None:
    choice = resolve(name)
    assert choice.solver == solver
    assert choice.grid_name == grid_name


def test_the_grids_option_says_whose_name_is_meant() -> None:
    assert resolve("lcm").solver == LCM()
    assert resolve("lcm", {"scheduler": "simple"}).solver == LCM(sigma_data=0.0)
    assert resolve("Euler", {"schedule_type": "Beta"}).grid_name == "beta-sigma"
    assert resolve("euler", {"scheduler": "beta"}).grid_name == "beta"


def test_a1111s_3m_sde_discards_the_next_to_last_sigma() -> None:
    levels = resolve("DPM++ 3M SDE").grid(TABLE, 20)
    assert same(levels, grid.without_cleanest(grid.exponential(21, BOTTOM, TOP)))


def test_a1111s_kl_optimal_ends_at_the_smallest_sigma() -> None:
    levels = resolve("Euler KL Optimal").grid(TABLE, 20)
    assert float(levels.sigma[-1]) == pytest.approx(BOTTOM)


def test_options_reach_solver_and_grid() -> None:
    options = {"s_churn": 30, "s_tmin": "0.05", "s_noise": 1.003, "grid": "karras", "rho": 5, "sigma_min": 0.02}
    choice = resolve("heun", {**options, "sigma_max": 10, "last": "sigma_min", "coordinate": "rectified"})
    assert choice.solver == Heun("rectified", Churn(30.0, 0.05, s_noise=1.003))
    assert same(choice.grid(TABLE, 9), grid.karras(10, 0.02, 10.0, 5.0)[:-1])


@pytest.mark.parametrize(
    ("name", "options", "idle", "named"),
    [
        ("dpmpp-2m", {"eta": 0.5}, "eta", "final, grid, variant"),
        ("euler", {"rho": 7}, "rho", "s_churn"),
        ("euler", {"s_noise": 1.1}, "s_noise", "s_churn"),  # there is no noise without churn
        ("euler-ancestral", {"eta": 0, "s_noise": 0.9}, "s_noise", "eta"),
        ("ddim", {"grid": "karras", "offset": 1}, "offset", "rho, sigma_max, sigma_min"),
        ("unipc", {"order": 3, "eta": 1}, "eta", "basis"),
        ("unclip", {"variance": "learned"}, "variance", "grid"),
        ("euler", {"steps": 20}, "steps", "grid"),
        ("EulerDiscreteScheduler", {"steps_offset": 1}, "steps_offset", "timestep_spacing"),
        ("EulerDiscreteScheduler", {"sigma_min": 0.1}, "sigma_min", "use_karras_sigmas"),
        ("EulerAncestralDiscreteScheduler", {"use_karras_sigmas": True}, "use_karras_sigmas", "timestep_spacing"),
        (
            "DPMSolverMultistepScheduler",
            {"use_karras_sigmas": True, "timestep_spacing": "leading"},
            "timestep_spacing",
            "",
        ),
        ("DDIMScheduler", {"grid": "karras"}, "grid", "timestep_spacing"),
    ],
)
def test_an_option_without_effect_is_an_error_that_names_those_with(name, options, idle, named) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(name, options)
    message = str(caught.value)
    assert message.startswith(f"{idle} has no effect on {name}; options that have one: ")
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("dpmpp-2n", {}, "dpmpp-2m"),
        ("DPM++ 2M Karas", {}, "dpm++ 2m"),
        ("EulerDiscreteSchedular", {}, "euler"),
        ("euler", {"grid": "karas"}, "karras"),
        ("euler", {"scheduler": "align_your_steps"}, "unknown grid"),
        ("heun", {"coordinate": "ratios"}, "ratio"),
        ("ddpm", {"variance": "large"}, "fixed_large"),
        ("ddim", {"eta": "much"}, "expected a number"),
        ("ddim", {"eta": "nan"}, "expected a number"),
        ("unipc", {"order": 2.5}, "whole number"),
        ("unipc", {"order": 9}, "1 to 3"),
        ("euler", {"s_churn": -1}, "s_churn"),
        ("euler", {"s_churn": 1, "s_tmin": 1, "s_min": 2}, "same option"),
        ("euler", {"grid": "karras", "scheduler": "karras"}, "both name a grid"),
        ("Euler Karras", {"schedule_type": "Beta"}, "give one of them"),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver"}, "dpmsolver++"),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, "solver_order"),
        ("EulerDiscreteScheduler", {"use_karras_sigmas": True, "use_beta_sigmas": True}, "choose one"),
        ("EulerDiscreteScheduler", {"use_karras_sigmas": "perhaps"}, "true or false"),
    ],
)
def test_a_wrong_word_gets_one_line_with_the_right_ones(name, options, said) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(name, options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["leading", "trailing", "simple", "beta", "ddim-uniform", "lcm"])
def test_a_tables_grid_does_not_fit_a_flow(name: str) -> None:
    with pytest.raises(UsageError, match="places the indices of a noise table, and this model's schedule is Flow"):
        resolve("euler", {"grid": name}).grid(Flow(), 10)


@pytest.mark.parametrize("schedule", [Flow(), Flow(3.0), Karras(), TABLE])
@pytest.mark.parametrize(
    "name", ["auto", "uniform", "sgm-uniform", "karras", "exponential", "beta-sigma", "kl-optimal"]
)
def test_grids_that_fit_every_finite_schedule(name: str, schedule) -> None:
    levels = resolve("euler", {"grid": name}).grid(schedule, 10)
    assert len(levels) == 11
    assert float(levels.sigma[-1]) == 0
    ratio = levels.sigma / levels.alpha
    assert bool((ratio[1:] < ratio[:-1]).all())


def test_a_range_grid_asks_for_the_ends_a_schedule_does_not_have() -> None:
    with pytest.raises(UsageError, match="sigma_min"):
        resolve("euler", {"grid": "karras"}).grid(Cosine(), 10)
    with pytest.raises(UsageError, match="sigma_max"):
        resolve("euler", {"grid": "karras", "sigma_min": 0.01}).grid(Cosine(), 10)
    assert len(resolve("euler", {"grid": "karras", "sigma_min": 0.01, "sigma_max": 50}).grid(Cosine(), 10)) == 11


def test_the_flow_grid_takes_the_models_own_shift() -> None:
    own = resolve("euler", {"grid": "flow"}).grid(Flow(3.0), 10)
    assert torch.allclose(own.sigma, grid.flow(10, 3.0).sigma)
    asked = resolve("euler", {"grid": "flow", "shift": 1.5}).grid(Flow(3.0), 10)
    assert torch.allclose(asked.sigma, grid.flow(10, 1.5).sigma)


def test_inversion_rises() -> None:
    levels = resolve("ddim-inversion").grid(TABLE, 10)
    assert float(levels.sigma[0]) == 0
    assert bool((levels.sigma[1:] > levels.sigma[:-1]).all())


def test_choices_lists_every_name_once() -> None:
    listed = choices()
    assert set(listed["mezzotint"]) == set(SOLVERS)
    assert "DPM++ 2M" in listed["a1111"]
    assert "dpmpp_2m" in listed["comfyui"]
    assert "EulerDiscreteScheduler" in listed["diffusers"]
    assert set(listed["mezzotint grids"]) == set(GRIDS)
    for names in listed.values():
        assert len(names) == len(set(names))


def test_a_choice_can_be_sent_to_another_process() -> None:
    for row in ROWS:
        choice = pickle.loads(pickle.dumps(resolve(row.name)))
        assert choice.solver == resolve(row.name).solver


def test_a_configuration_needs_a_class() -> None:
    with pytest.raises(UsageError, match="_class_name"):
        from_diffusers({})
    with pytest.raises(UsageError, match="unknown scheduler"):
        from_diffusers({"_class_name": "VQDiffusionScheduler"})


def test_a_configuration_file_may_say_more_than_matters() -> None:
    config = {
        "_class_name": "EulerDiscreteScheduler",
        "beta_schedule": "scaled_linear",
        "steps_offset": 1,
        "trained_betas": None,
        "skip_prk_steps": True,
        "use_karras_sigmas": None,
        "timestep_spacing": "trailing",
    }
    assert same(from_diffusers(config).grid(TABLE, 10), grid.trailing(TABLE, 10))


def test_a_flow_has_no_more_noise_than_pure_noise() -> None:
    grid = resolve("euler", {"grid": "karras", "sigma_max": 2.0}).grid
    with pytest.raises(UsageError, match=r"sigma_max 2 is above 1"):
        grid(Flow(3.0), 10)
    assert float(resolve("euler", {"grid": "karras", "sigma_max": 0.5}).grid(Flow(3.0), 10).sigma[0]) == pytest.approx(
        0.5
    )
