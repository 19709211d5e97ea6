"""Draws glyphs.npz, 20 drawings of every character below, from the fonts that matplotlib carries.

    python datasets/make_glyphs.py        # writes reference/tasks/data/glyphs.npz

The same versions of NumPy, Pillow and zlib give the same bytes: coordinates are rounded to whole pixels of
a large glyph, so that the last digit of another machine's arithmetic changes nothing. README.md, next to
this file, is the data card.
"""

import io
import zipfile
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

FILE = Path(__file__).resolve().parents[1] / "reference" / "tasks" / "data" / "glyphs.npz"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
# Upright faces only: an italic of another design would give one character two shapes, and a slant comes
# from the warp.
FACES = (
    "DejaVuSans",
    "DejaVuSerif",
    "DejaVuSansMono",
    "STIXGeneral",
    "DejaVuSans-Bold",
    "DejaVuSerif-Bold",
    "DejaVuSansMono-Bold",
    "STIXGeneralBol",
)
DRAWINGS, SIZE, POINTS = 20, 28, 64
SAMPLES = 3  # a side, of every pixel
LEVELS = 4  # of grey: two bits a pixel

# The warp: standard deviations, tuned until raw pixels are neither useless nor enough (README.md).
TURN, SHEAR, STRETCH = 0.15, 0.2, 0.15  # radians; columns a row; logarithm of each axis
EXTENT = (16.0, 22.0)  # pixels, of the longer side, uniform
SHIFT, BEND = 1.0, 1.0  # pixels

# No two characters look alike: of each group of look-alikes (A of Latin, Greek and Cyrillic, O and o and 0)
# the first was kept. tests/tasks/test_glyphs.py compares the shapes.
SCRIPTS = {
    "train": {
        "Latin": (
            "ABCDEFGHKLMNPQRSTUVWXYZabdefghkmnopqrtyÆÐØÞßæðđĦħŁłŊŒœŦŧƀƁƄƆƇƊƌƎƑƒƓƔƕƖƗƙƛ"
            "ƜƝƢƣƤƥƦƧƩƪƫƭƮƱƲƳƴƵƷƸƺƻƾǂǥǶȜȡȢȣȤȴȵȶȸȹȺȻȽȾȿɀɁɂɃɄɅɆɇɈɊɍɎɏⱠⱣⱤⱥⱦⱧⱩⱪⱫⱮⱯⱱⱲⱴⱵⱷⱺꜢꜤꜧꜨ"
            "ꜩꜫꜬꜮꜲꜴꜵꜶꜷꜸꜹꜼꜽꝁꝉꝋꝎꝐꝒꝓꝤꝦꝨꝻꝼꞀꞂꞆꞍꞎꞑꞡꞢꞣꞤꞥꞦꞧꞨꞪ"
        ),
        "IPA": "ɑɕɖɘɚɝɞɠɤɥɧɨɪɬɰɱɲɷɸɹɻɾɿʁʂʃʆʇʍʎʐʑʓʕʖʚʝʞʡʢʣʤʦʧʨʩʪʫʬʭʮᴈᴎᴒᴓᴕᴖᴗᴙᴚᴞᴥᴦᴪᴫ",
        "Greek": "ͲΔΞΠΩαβζκλμνξςωϗϘϝϞϟϠϡϢϦϨϪϺϻϼ",
        "Cyrillic": (
            "ЂЉЊЋЏДЖФЩЪЫЮцьэєћѢѣѤѦѨѪѬѮѰѱѵѸѹѼѿҊҌҍҎҐғҔҗҘқҜҞҠҤҦҨҭҰҲҴҶҸҺҼҾӃӅӈӶӺӾԀԂԄԆԈԌԎԔԖԗԘԙԞԠԢꙌꙐꙕꙗꙢꙤꙦꙮꚔ"
        ),
        "Georgian": "აბდევზკლოჟრსტუფქღცჭჯჰჲჴჵჸჺ",
        "Fraktur letters": "𝔄𝔅𝔇𝔈𝔉𝔊𝔍𝔎𝔏𝔐𝔑𝔒𝔓𝔔𝔖𝔗𝔘𝔛𝔜𝔞𝔟𝔠𝔡𝔢𝔤𝔥𝔦𝔨𝔪𝔫𝔬𝔭𝔮𝔯𝔰𝔱𝔲𝔴𝔵𝔶𝔷",
        "Script letters": "𝒜𝒞𝒟𝒢𝒥𝒦𝒩𝒪𝒫𝒬𝒮𝒯𝒰𝒱𝒳𝒴𝒵𝒶𝒷𝒸𝒹𝒻𝒽𝒾𝒿𝓁𝓂𝓃𝓅𝓆𝓇𝓈𝓉𝓊𝓋𝓌𝓍𝓎𝓏",
        "Mathematical operators": (
            "∁∓∕∖∗√∛∜∝∠∡∢∬∭∮∯∰∹∺∻∿≂≋≍≎≏≐≘≙≚≞≣≪≫≲≳≴≵≶≷≸≹≺≻⊎⊏⊐⊔⊕⊗⊟⊣⊥⊧⊩⊪⊫⊯⊰⊱⊸⊹⊻⊼⊿⋄⋆⋇⋈⋉⋊⋋⋌⋎⋏⋐⋑⋒⋓⋔⋘⋙"
        ),
        "Arrows": "←↓↔↕↖↗↘↙↚↛↜↝↞↟↠↡↢↣↤↥↦↧↨↩↪↫↬↮↯↰↱↲↳↴↵↶↷↸↹↺↻↼↽↾↿⇀⇁⇃⇄⇅⇆⇥⇦⇪⇫⇭⇰⇱⇲⇳⇴⇵⇶⇸",
    },
    "validation": {
        "Hebrew": "אגטלמעףפצקשת",
        "Arabic": "ءبةتجخدذرزسشصطغفقكلمنوىيٴٹټځچڈډڊڋڍڏڒړڔڕږژښڝڠڡڣڥکڪګڮڰڲڳڸڹںڻھڿۆۇێې",
        "Asomtavruli": "ႡႢႥႦႧႨႩႪႫႬႮႯႰႲႳႵႸႼႽႾႿჀჁჂჃჄჅ",
        "Nuskhuri": "ⴀⴁⴂⴄⴅⴆⴈⴉⴋⴎⴏⴐⴑⴓⴕⴘⴙⴛⴜⴞⴟⴠⴡⴢⴤⴥ",
        "Old Italic": "𐌂𐌄𐌋𐌌𐌍𐌎𐌐𐌒𐌔𐌕𐌖𐌝",
    },
    "test": {
        "Armenian": "ԱԳԴԵԶԷԸԹԺԻԾԿՀՁՂՃՆՇՉՊՋՌՎՐՒՔՖըթխծճմնչջռտփֆ",
        "N'Ko": "ߐߑߒߖߚߜߝߞߟߢߤߦߧ߁߂߃߄߆߇߈߉",
        "Lao": "ກຂຄງຈຊຍຕຖທນບປຜຝພມຣລວສອຯະຽເແໂໃ໑໒໓໕໖໗໘໙",
        "Canadian syllabics": "ᐅᐊᐫᐬᐭᐮᐳᐸᑧᑨᑩᑪᑫᒅᒆᒇᒈᒡᓂᓄᓇᓗᓬᓭᓯᔐᔑᔓᔕᔦᔨᔪᔭᕂᕃᕄᕆᕈᕊᕋᕍᕒᕓᕕᕗᕙᕞᕡᕤᕦᕴᕵᕷᕹᕿᖁᖃᖅᖊᖋᖌᖍᖏᖑᖓᖕᖖᖠᖢᖤᖧᖨᖬ",
        "Tifinagh": "ⴳⴵⴶⴻⴼⴽⴾⴿⵃⵄⵅⵇⵋⵌⵐⵒⵕⵚⵛⵜⵞⵢⵣⵤⵥ",
    },
}


@cache
def font(face: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{face}.ttf", POINTS, layout_engine=ImageFont.Layout.BASIC)


@cache
def characters_of(face: str) -> frozenset[int]:
    return frozenset(TTFont(FONTS / f"{face}.ttf").getBestCmap())


def faces_with(character: str) -> list[str]:
    """The faces that have the character, so that no empty box is ever drawn."""
    return [face for face in FACES if ord(character) in characters_of(face)]


def ink(character: str, face: str, stroke: int = 0) -> np.ndarray:
    """Where the character has ink, cropped to it; each pixel of `stroke` thickens the pen by two."""
    image = Image.new("L", (3 * POINTS, 3 * POINTS))
    middle = (1.5 * POINTS, 1.5 * POINTS)
    ImageDraw.Draw(image).text(middle, character, fill=255, font=font(face), anchor="mm", stroke_width=stroke)
    inked = np.asarray(image) > 127
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def draw(character: str) -> np.ndarray:
    """DRAWINGS drawings (DRAWINGS, SIZE, SIZE) of levels 0 (paper) to LEVELS - 1 (ink).

    The random numbers depend on the character alone: any one can be drawn without the others.
    """
    rng = np.random.default_rng([2016, ord(character)])
    faces = faces_with(character)
    return np.stack([warp(rng, pen(rng, character, faces)) for _ in range(DRAWINGS)])


def pen(rng: np.random.Generator, character: str, faces: list[str]) -> np.ndarray:
    """The character in a face drawn at random, in a pen of a width drawn at random."""
    face, stroke = faces[rng.integers(len(faces))], int(rng.integers(3))
    return ink(character, face, 0 if "Bol" in face else stroke)


def warp(rng: np.random.Generator, source: np.ndarray) -> np.ndarray:
    """One drawing (SIZE, SIZE): the source turned, sheared, stretched, bent, and placed at random."""
    turn, shear = rng.normal(0, TURN), rng.normal(0, SHEAR)
    stretch = np.exp(rng.normal(0, STRETCH, 2))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ np.array([[1, shear], [0, 1]]) @ np.diag(stretch)

    inked = matrix @ np.stack(np.nonzero(source))  # (2, n) rows and columns, after the linear map
    low, high = inked.min(axis=1), inked.max(axis=1)
    scale = rng.uniform(*EXTENT) / (high - low).max()  # pixels of the drawing for one of the source
    centre = (SIZE - 1) / 2 + rng.normal(0, SHIFT, 2)

    # Where each sample of the drawing comes from, as whole pixels of the source.
    grid = (np.arange(SIZE * SAMPLES) - (SAMPLES - 1) / 2) / SAMPLES
    target = np.stack(np.meshgrid(grid, grid, indexing="ij")) + elastic_field(rng, grid)
    shift = (low + high) / 2 - centre / scale
    back = np.linalg.inv(matrix) @ (target.reshape(2, -1) / scale + shift[:, None])
    rows, columns = np.rint(back).astype(np.int64)
    inside = (rows >= 0) & (rows < source.shape[0]) & (columns >= 0) & (columns < source.shape[1])
    samples = inside & source[rows * inside, columns * inside]

    count = samples.reshape(SIZE, SAMPLES, SIZE, SAMPLES).sum(axis=(1, 3))  # 0 to SAMPLES**2
    return ((LEVELS - 1) * count + SAMPLES**2 // 2) // SAMPLES**2


def elastic_field(rng: np.random.Generator, grid: np.ndarray) -> np.ndarray:
    """A smooth displacement (2, len(grid), len(grid)) in pixels, of standard deviation BEND."""
    knots = np.linspace(0, SIZE - 1, 5)
    weights = np.exp(-((grid[:, None] - knots) ** 2) / (2 * (0.7 * knots[1]) ** 2))
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return BEND * (weights @ rng.standard_normal((2, 5, 5)) @ weights.T)


def pack(levels: np.ndarray) -> np.ndarray:
    """Four pixels a byte, the first in the highest bits."""
    quads = levels.reshape(len(levels), -1, 4).astype(np.uint8)
    return quads[..., 0] << 6 | quads[..., 1] << 4 | quads[..., 2] << 2 | quads[..., 3]


def all_characters() -> list[tuple[str, str, str]]:
    """Split, script and character of every class, in the order of the file."""
    return [
        (split, script, c)
        for split, scripts in SCRIPTS.items()
        for script in scripts
        for c in scripts[script]
    ]


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """An .npz file without a date in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            content = io.BytesIO()
            np.lib.format.write_array(
                content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
            )
            archive.writestr(entry, content.getvalue(), compresslevel=9)
    return file.getvalue()


def build() -> bytes:
    """The content of glyphs.npz."""
    classes = all_characters()
    drawings = [pack(draw(character)) for _, _, character in tqdm(classes, desc="drawing glyphs")]
    return npz(
        {
            "drawings": np.concatenate(drawings),
            "names": np.array([f"{script}/U+{ord(character):04X}" for _, script, character in classes]),
            "scripts": np.array([script for _, script, _ in classes]),
            "splits": np.array([split for split, _, _ in classes]),
        }
    )


if __name__ == "__main__":
    FILE.write_bytes(build())
