"""Texts in the two languages that the agent has."""

from enum import Enum

I18nDict = dict[str, str]


class SupportedLang(str, Enum):
    ZH_CN = "zh-CN"
    EN_US = "en-US"

    @classmethod
    def from_accept_language(cls, accept_lang: str) -> "SupportedLang":
        """By the first language of the header; what is no kind of English is Chinese."""
        first = accept_lang.split(",")[0].strip().lower()
        return cls.EN_US if first.startswith("en") else cls.ZH_CN


def i18n_text(*, zh_CN: str, en_US: str) -> I18nDict:
    return {"zh-CN": zh_CN, "en-US": en_US}


def get_text(
    i18n_dict: I18nDict | None, default: str, lang: SupportedLang = SupportedLang.ZH_CN
) -> str:
    return (i18n_dict or {}).get(lang.value, default)
