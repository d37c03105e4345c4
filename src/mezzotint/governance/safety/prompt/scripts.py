"""Scripts: which ones the lexicons cover, and which letters only look like another script's.

Supported are the scripts of English, Indonesian, Malay, Vietnamese, Filipino (Latin), Chinese (Han), Thai and Tamil.
Whatever is written in another one, Burmese and Khmer among them, is for a person to read.
"""

from __future__ import annotations

from functools import lru_cache

SUPPORTED = ("latin", "han", "thai", "tamil", "common")

_RANGES = (
    *((0x0000, 0x0040, "common"), (0x0041, 0x024F, "latin"), (0x0250, 0x02FF, "latin"), (0x0300, 0x036F, "common")),
    *(
        (0x0370, 0x03FF, "greek"),
        (0x0400, 0x052F, "cyrillic"),
        (0x0530, 0x058F, "armenian"),
        (0x0590, 0x05FF, "hebrew"),
    ),
    *((0x0600, 0x08FF, "arabic"), (0x0900, 0x0B7F, "other"), (0x0B80, 0x0BFF, "tamil"), (0x0C00, 0x0DFF, "other")),
    *((0x0E00, 0x0E7F, "thai"), (0x0E80, 0x0FFF, "other"), (0x1000, 0x109F, "myanmar"), (0x10A0, 0x137F, "other")),
    *((0x13A0, 0x13FF, "cherokee"), (0x1780, 0x17FF, "khmer"), (0x19E0, 0x19FF, "khmer"), (0x1E00, 0x1EFF, "latin")),
    *((0x1D00, 0x1DBF, "latin"), (0x1F00, 0x1FFF, "greek"), (0x2000, 0x2BFF, "common"), (0x2C60, 0x2C7F, "latin")),
    *((0x2E80, 0x2FFF, "han"), (0x3000, 0x3004, "common"), (0x3005, 0x3007, "han"), (0x3008, 0x3040, "common")),
    *((0x3041, 0x30FF, "kana"), (0x3400, 0x4DBF, "han"), (0x4E00, 0x9FFF, "han"), (0xA720, 0xA7FF, "latin")),
    *((0xAA60, 0xAA7F, "myanmar"), (0xA9E0, 0xA9FF, "myanmar"), (0xAB30, 0xAB6F, "latin"), (0xAC00, 0xD7AF, "hangul")),
    *((0xF900, 0xFAFF, "han"), (0x1F000, 0x1FAFF, "common"), (0x20000, 0x3FFFF, "han")),
)


@lru_cache(maxsize=4096)
def script_of(c: str) -> str:
    """Of one character: its script, "common" for what belongs to all, "other" for what no table here knows."""
    point = ord(c)
    if not c.isalpha():
        found = next((name for low, high, name in _RANGES if low <= point <= high), "common")
        return found if found not in ("latin", "greek", "cyrillic", "other") else "common"
    return next((name for low, high, name in _RANGES if low <= point <= high), "other")


_PAIRS = (
    # Cyrillic
    "аa бb вb гr ԁd еe ёe зe һh іi їi јj кk ӏl мm нh оo пn рp сc ԛq тt ѕs уy ѵv хx ԝw ьb ъb ӓa ӧo ӱy ӕa әe ґr ғf ҝk қk"
    " ңh үy ұy ҳx ҹy ҽe иu йu шw щw чy яr юo фo жx лn дd цu эe ыb"
    # Greek
    " αa βb γy δd εe ζz ηn θo ιi κk λl μu νv ξe οo πn ρp σo ςc τt υu φf χx ψw ωw άa έe ήn ίi όo ύu ώw ϊi ϋu ϲc ϳj"
    # Armenian
    " աw գq եe զq ըp լl հh ղn յj նu շ2 ոn ռn սu տm րn ցg ւi փp քp օo ֆf"
    # phonetic letters and small capitals
    " ɑa ɐa əe ɛe ɜe ɡg ɩi ɪi ıi ȷj ʀr ɴn ʟl ʜh ʙb ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜰf ꜱs ɢg ʏy ᴦr ᴨn"
    # Cherokee, in its small form
    " ꭰd ꭱr ꭲt ꭺa ꮋh ꮇm ꮤw ꮯc ꮪs ꮓz ꮲp ꮮl ꭻj ꮶk ꮃw ꭼe ꮖi ꮐg ꮩv ꮞ4 ꮢr ꮍy ꮑn ꮟb ꮛe ꭵi"
    # Latin with a stroke or hook, which no decomposition takes away
    " łl øo đd ħh ŧt ɨi ʉu ʋv ɓb ɗd ƙk ɲn ŋn ƒf ɢg ⱥa ƀb ȼc ɇe ǥg ɉj ɍr ƭt ƴy ƶz ɠg ɦh ɱm ʂs ʈt ʐz ɖd ɭl ɳn ɽr ʠq ɼr"
    " ʄj ßs"
)
LOOKALIKES = {pair[0]: pair[1] for pair in _PAIRS.split()}
"""Small letters that look like Latin ones: the common ones of the confusables of Unicode TR39."""
