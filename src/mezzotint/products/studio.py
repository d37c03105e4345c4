"""The studio: one product on a turntable, soft light, a long lens; pictures with exact masks.

Rendering is VTK's, off screen (``pip install 'mezzotint[render]'``; without a display the system library libosmesa6).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError, UsageError
from mezzotint.products.camera import VIEW_ANGLE, Camera, around
from mezzotint.products.catalog import Product
from mezzotint.products.shadow import REACH, footprint, seen, surface_points

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SUPERSAMPLING = 2
POINTS = 200_000
HANGING = 30.0
"""A product whose catalog elevation is above this, in cm, hangs on a wall or ceiling: no shadow on the floor."""

LIGHTS = (((-0.7, 0.9, 0.9), 0.58), ((0.9, 0.3, 0.9), 0.28), ((0.0, 1.0, -0.6), 0.20))
"""(position in the camera's own frame, intensity): key, fill and rim."""

COUNTED_FROM = ((35.0, 20.0), (-60.0, 20.0), (170.0, 15.0))
"""(azimuth, elevation) from where it is decided which material shows most."""

OPAQUE = 0.5
AMBIENT, SHINE = 0.40, 0.12


@dataclass(frozen=True)
class Photo:
    """One picture of a product.

    rgba: (S, S, 4), straight alpha; colour is black where alpha is 0.  shadow: (S, S), 255 is full.
    """

    rgba: Bytes
    shadow: Bytes


@dataclass(frozen=True)
class _Part:
    """One material's surface."""

    actor: Any
    triangles: Floats
    look: tuple[float, ...]


class Studio:
    """A product set up to be photographed.   Raises InputError for a model without a visible surface."""

    def __init__(self, product: Product, path: Path, size: int) -> None:
        self._size, self._product = size, product
        self._plotter = _plotter(size * SUPERSAMPLING)
        parts = _parts(self._plotter, path)
        if not parts:
            raise InputError(f"{product.id}: the model has no visible surface")
        matrix = _placing(np.concatenate([p.triangles.reshape(-1, 3) for p in parts]), product)
        for part in parts:
            part.actor.SetUserMatrix(_vtk_matrix(matrix))
        self._parts = [_Part(p.actor, p.triangles @ matrix[:3, :3].T + matrix[:3, 3], p.look) for p in parts]
        triangles = np.concatenate([p.triangles for p in self._parts])
        self.low, self.high = triangles.min((0, 1)), triangles.max((0, 1))
        self._reach = REACH * float(np.abs(triangles[..., [0, 2]]).max())
        self._dark = footprint(surface_points(triangles, POINTS), self._reach)
        self._undo: list[tuple[Any, Any, Any]] = []

    def photograph(self, azimuth: float, elevation: float) -> Photo:
        """The picture from a direction, degrees; see ``camera.around``."""
        camera = around(self.low, self.high, azimuth, elevation)
        _aim(self._plotter, camera)
        rgba = _smaller(_picture(self._plotter).astype(np.float64), SUPERSAMPLING)
        shadow = np.zeros((self._size, self._size), np.uint8)
        if self._product.elevation <= HANGING:
            shadow = seen(self._dark, self._reach, camera, self._size)
        return Photo(rgba, shadow)

    def paint(self, srgb: Sequence[int]) -> None:
        """Gives the largest opaque material a colour; its texture keeps its pattern in shades of it."""
        look = self._largest
        for part in self._parts:
            if part.look == look:
                prop = part.actor.GetProperty()
                texture = part.actor.GetTexture()
                self._undo.append((part.actor, prop.GetDiffuseColor(), texture))
                _colour(prop, [v / 255 for v in srgb])
                if texture is not None:
                    part.actor.SetTexture(_grey(texture))

    def unpaint(self) -> None:
        """The model's own colours again."""
        for actor, colour, texture in self._undo:
            _colour(actor.GetProperty(), colour)
            actor.SetTexture(texture)
        self._undo.clear()

    def close(self) -> None:
        """Frees the renderer."""
        self._plotter.close()

    @cached_property
    def _largest(self) -> tuple[float, ...]:
        """The material that shows most, of the opaque ones: each in a flat colour of its own, pixels counted."""
        looks = sorted({part.look for part in self._parts})
        seen: Counter[int] = Counter()
        undo = [_flattened(part, looks.index(part.look)) for part in self._parts]
        for azimuth, elevation in COUNTED_FROM:
            _aim(self._plotter, around(self.low, self.high, azimuth, elevation))
            seen.update(_ids(_picture(self._plotter)))
        for restore in undo:
            restore()
        return looks[max(range(len(looks)), key=lambda i: seen[i])]


def _flattened(part: _Part, number: int) -> Callable[[], None]:
    """Shows a part in the flat colour of a number, or hides a see-through one.   Returns: what undoes it."""
    prop, actor = part.actor.GetProperty(), part.actor
    colour, texture, opacity = prop.GetDiffuseColor(), actor.GetTexture(), prop.GetOpacity()
    light = (prop.GetAmbient(), prop.GetDiffuse(), prop.GetSpecular())

    def restore() -> None:
        _colour(prop, colour)
        _light(prop, *light)
        actor.SetTexture(texture)
        actor.SetVisibility(True)

    _colour(prop, (number % 16 / 15, number // 16 % 16 / 15, 1.0))
    _light(prop, 1.0, 0.0, 0.0)
    actor.SetTexture(None)
    actor.SetVisibility(opacity > OPAQUE)
    return restore


def _ids(rgba: Bytes) -> Counter[int]:
    """Number -> pixels, of a picture of flattened parts; pixels on edges, which are mixed, are near enough."""
    solid = rgba[rgba[..., 3] == 255].astype(np.intp)
    numbers = (solid[:, 0] + 8) // 17 + 16 * ((solid[:, 1] + 8) // 17)
    return Counter(dict(enumerate(np.bincount(numbers).tolist())))


def _light(prop: Any, ambient: float, diffuse: float, specular: float) -> None:
    prop.SetAmbient(ambient)
    prop.SetDiffuse(diffuse)
    prop.SetSpecular(specular)


def _picture(plotter: Any) -> Bytes:
    """What the camera sees, rendered once: (S, S, 4), top row first."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

    window = plotter.render_window
    window.Render()
    grabber = vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.SetInputBufferTypeToRGBA()
    grabber.ReadFrontBufferOff()
    grabber.ShouldRerenderOff()
    grabber.Update()
    image = grabber.GetOutput()
    columns, rows, _ = image.GetDimensions()
    to_numpy: Any = vtk_to_numpy
    return np.asarray(to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, 4)[::-1])


def _plotter(pixels: int) -> Any:
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")
    try:
        import pyvista
    except ImportError as error:
        raise UsageError("photographing needs more packages: pip install 'mezzotint[render]'") from error
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[pixels, pixels], lighting="none")
    for position, intensity in LIGHTS:
        light = pyvista.Light(position=position, focal_point=(0, 0, 0), intensity=intensity, light_type="camera light")
        plotter.add_light(light)
    plotter.render_window.AlphaBitPlanesOn()
    plotter.renderer.SetBackgroundAlpha(0.0)
    plotter.background_color = "black"
    return plotter


def _parts(plotter: Any, path: Path) -> list[_Part]:
    """The model's surfaces, loaded into the plotter and given the studio's material."""
    mtl = path.with_suffix(".mtl")
    _without_lines(path)
    plotter.import_obj(str(path), str(mtl) if mtl.is_file() else None)
    parts = []
    for actor in list(plotter.renderer.GetActors()):
        triangles = _triangles(actor)
        prop = actor.GetProperty()
        if len(triangles) == 0 or prop.GetOpacity() < 0.02:
            actor.SetVisibility(False)
            continue
        texture = actor.GetTexture()
        look = (*prop.GetDiffuseColor(), prop.GetOpacity(), float(hash(_texture_name(texture)) % 2**31))
        _colour(prop, prop.GetDiffuseColor())
        _light(prop, AMBIENT, 1.0, SHINE if prop.GetSpecular() > 0 else 0.0)
        prop.SetSpecularPower(20)
        parts.append(_Part(actor, triangles, look))
    return parts


def _without_lines(path: Path) -> None:
    """Takes points, lines and faces of two corners out of an OBJ file: VTK's reader stops at them."""
    kept = [
        line
        for line in path.read_text("latin-1").splitlines(keepends=True)
        if not line.startswith(("p ", "l ")) and not (line.startswith("f ") and len(line.split()) < 4)
    ]
    path.write_text("".join(kept), "latin-1")


def _texture_name(texture: Any) -> str:
    source = None if texture is None else texture.GetInputAlgorithm()
    if source is not None and source.IsA("vtkImageReader2"):
        return str(source.GetFileName())
    return "" if texture is None else str(id(texture))


def _colour(prop: Any, rgb: Sequence[float]) -> None:
    prop.SetDiffuseColor(*rgb)
    prop.SetAmbientColor(*rgb)


def _triangles(actor: Any) -> Floats:
    """(T, 3, 3) corners in the model's own coordinates."""
    import pyvista

    mapper = actor.GetMapper()
    mapper.Update()
    data = mapper.GetInput()
    if data is None or data.GetNumberOfPolys() + data.GetNumberOfStrips() == 0:
        return np.zeros((0, 3, 3))
    mesh = pyvista.wrap(data).triangulate()
    faces = mesh.faces.reshape(-1, 4)[:, 1:]
    corners: Floats = np.asarray(mesh.points, np.float64)[faces]
    return corners


def _placing(points: Floats, product: Product) -> Floats:
    """4 x 4: the model turned, scaled to the catalog's proportions and to unit size, centred, on the floor."""
    turn = np.array(product.rotation).reshape(3, 3) if len(product.rotation) == 9 else np.eye(3)
    turned = points @ turn.T
    low, high = turned.min(0), turned.max(0)
    width, depth, height = product.dimensions
    wanted = np.array([width, height, depth]) / max(product.dimensions)
    scale = wanted / np.maximum(high - low, 1e-9)
    scale = np.where(high - low > 1e-6 * (high - low).max(), scale, 1.0)
    matrix = np.eye(4)
    matrix[:3, :3] = scale[:, None] * turn
    middle = (low + high) / 2
    matrix[:3, 3] = -scale * np.array([middle[0], low[1], middle[2]])
    return matrix


def _vtk_matrix(matrix: Floats) -> Any:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    made = vtkMatrix4x4()
    made.DeepCopy(matrix.reshape(-1).tolist())
    return made


def _aim(plotter: Any, camera: Camera) -> None:
    eye = plotter.camera
    eye.position, eye.focal_point, eye.up = tuple(camera.position), tuple(camera.target), tuple(camera.up)
    eye.view_angle = VIEW_ANGLE
    plotter.renderer.ResetCameraClippingRange()


def _grey(texture: Any) -> Any:
    """The texture's luminance, scaled to a mean of 0.8, so that a colour shows at its own lightness."""
    import pyvista

    pixels = np.asarray(pyvista.wrap(texture.GetInput()).active_scalars, np.float64)
    columns, rows, _ = texture.GetInput().GetDimensions()
    luma = pixels[:, :3] @ [0.2126, 0.7152, 0.0722] if pixels.ndim == 2 and pixels.shape[1] >= 3 else pixels.reshape(-1)
    luma = (luma * (0.8 * 255 / max(float(luma.mean()), 1.0))).clip(0, 255)
    image = luma.reshape(rows, columns)[::-1, :, None].repeat(3, 2).astype(np.uint8)
    texture_of: Any = pyvista.Texture
    made = texture_of(np.ascontiguousarray(image))
    made.SetRepeat(texture.GetRepeat())
    made.SetInterpolate(True)
    return made


def _smaller(rgba: Floats, factor: int) -> Bytes:
    """Straight-alpha RGBA (F S, F S, 4) 0 … 255 averaged over F x F cells with colours weighted by alpha."""
    side = rgba.shape[0] // factor
    alpha = rgba[..., 3:] / 255
    cells = np.concatenate([rgba[..., :3] * alpha, alpha], -1).reshape(side, factor, side, factor, 4).mean((1, 3))
    colour = cells[..., :3] / np.maximum(cells[..., 3:], 1e-6)
    out = np.concatenate([np.where(cells[..., 3:] > 0, colour, 0), cells[..., 3:] * 255], -1)
    return np.asarray(out.round().clip(0, 255), np.uint8)
