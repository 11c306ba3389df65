"""What a place of the address picker is called in English: an aid beside the Chinese name, never instead of it.

Provinces and the places that have a name of their own abroad are written down; the others are read in pinyin, with
what they are ("Xihu District"). The stored address stays Chinese, as the carrier reads it.
"""

import re
from functools import lru_cache

PROVINCES = {
    "11": "Beijing", "12": "Tianjin", "13": "Hebei", "14": "Shanxi", "15": "Inner Mongolia", "21": "Liaoning",
    "22": "Jilin", "23": "Heilongjiang", "31": "Shanghai", "32": "Jiangsu", "33": "Zhejiang", "34": "Anhui",
    "35": "Fujian", "36": "Jiangxi", "37": "Shandong", "41": "Henan", "42": "Hubei", "43": "Hunan", "44": "Guangdong",
    "45": "Guangxi", "46": "Hainan", "50": "Chongqing", "51": "Sichuan", "52": "Guizhou", "53": "Yunnan", "54": "Tibet",
    "61": "Shaanxi", "62": "Gansu", "63": "Qinghai", "64": "Ningxia", "65": "Xinjiang", "71": "Taiwan",
    "81": "Hong Kong", "82": "Macao",
}  # fmt: skip
_KNOWN = {
    "呼和浩特": "Hohhot", "鄂尔多斯": "Ordos", "呼伦贝尔": "Hulunbuir", "乌兰察布": "Ulanqab", "巴彦淖尔": "Bayannur",
    "锡林郭勒": "Xilingol", "阿拉善": "Alxa", "哈尔滨": "Harbin", "齐齐哈尔": "Qiqihar", "拉萨": "Lhasa", "日喀则": "Shigatse",
    "昌都": "Qamdo", "林芝": "Nyingchi", "那曲": "Nagqu", "阿里": "Ngari", "乌鲁木齐": "Urumqi", "克拉玛依": "Karamay",
    "吐鲁番": "Turpan", "博尔塔拉": "Bortala", "巴音郭楞": "Bayingolin", "阿克苏": "Aksu", "克孜勒苏": "Kizilsu",
    "喀什": "Kashgar", "和田": "Hotan", "伊犁": "Ili", "阿勒泰": "Altay", "甘孜": "Garzê", "阿坝": "Ngawa", "迪庆": "Dêqên",
    "香港岛": "Hong Kong Island", "九龙": "Kowloon", "新界": "New Territories", "澳门半岛": "Macao Peninsula",
    "澳门外岛": "Taipa and Coloane", "台北": "Taipei", "新北": "New Taipei", "台中": "Taichung", "高雄": "Kaohsiung",
    "基隆": "Keelung", "新竹": "Hsinchu", "嘉义": "Chiayi", "彰化": "Changhua", "屏东": "Pingtung", "花莲": "Hualien",
    "台东": "Taitung", "珲春": "Hunchun", "吕梁": "Lüliang", "闵行": "Minhang", "朝阳": "Chaoyang",
}  # fmt: skip
_READ = {"长": "chang", "漯": "luo", "堡": "bao"}  # as place names read them
_KINDS = (
    ("自治州", " Prefecture"), ("自治县", " County"), ("自治旗", " Banner"), ("街道", " Subdistrict"), ("地区", " Prefecture"),
    ("新区", " New Area"), ("林区", " Forestry District"), ("市", ""), ("盟", " League"), ("区", " District"), ("县", " County"),
    ("旗", " Banner"), ("镇", " Town"), ("乡", " Township"),
)  # fmt: skip
_PEOPLES = re.compile(
    "(?:(?:藏|羌|彝|回|土家|苗|侗|布依|朝鲜|蒙古|壮|瑶|黎|哈尼|傣|白|景颇|傈僳|土|撒拉|东乡|保安|满|畲|仫佬|毛南|水|仡佬|佤|拉祜|纳西|"
    "普米|独龙|怒|布朗|裕固|达斡尔|鄂温克|鄂伦春|锡伯)族|蒙古|哈萨克|柯尔克孜|塔吉克|各族)+$"
)


@lru_cache(maxsize=8192)
def english(code: str, name: str) -> str:
    """The English name of a place, by its code for provinces and by its Chinese name below them."""
    if code in PROVINCES:
        return PROVINCES[code]
    if name in _KNOWN:
        return _KNOWN[name]
    for ending, kind in _KINDS:
        stem = name.removesuffix(ending)
        if stem != name and len(stem) > 1:
            if ending.startswith("自治"):
                stem = _PEOPLES.sub("", stem) or stem
            return _KNOWN.get(stem, _reading(stem)) + kind
    return _reading(name)


def _reading(name: str) -> str:
    """Pinyin in one word; a syllable that begins with a vowel is set off: Xi'an."""
    from pypinyin import lazy_pinyin  # its dictionaries are large, and only an English page needs them here

    syllables = [_READ.get(c, s) for c, s in zip(name, lazy_pinyin(name, errors=lambda rest: rest[0]), strict=False)]
    text = "".join(f"'{s}" if i and s[:1] in "aeo" else s for i, s in enumerate(syllables) if s)
    return text.replace("v", "ü")[:1].upper() + text.replace("v", "ü")[1:]
