"""Texts in several languages."""

from nekro_agent.lacking import names_of
from nekro_agent.schemas.i18n import I18nDict, SupportedLang, get_text, i18n_text

__all__ = ["I18nDict", "SupportedLang", "get_text", "i18n_text"]
__getattr__ = names_of(__name__)
