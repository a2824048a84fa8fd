"""The errors that become replies of their own status."""

from nekro_agent.schemas.i18n import I18nDict, SupportedLang, i18n_text


class AppError(Exception):
    """The name of the class is in the reply."""

    http_status: int = 500
    i18n_message: I18nDict = i18n_text(zh_CN="服务器内部错误", en_US="Internal server error")

    def __init__(self, detail: str | None = None, data=None, **params):
        self.detail = detail
        self.data = data
        self.params = params
        super().__init__(self.get_message(SupportedLang.ZH_CN))

    def get_message(self, lang: SupportedLang) -> str:
        texts = self.i18n_message
        text = texts.get(lang.value) or texts.get("zh-CN", "Unknown error")
        try:
            return text.format(**self.params) if self.params else text
        except KeyError:
            return text

    def to_response(self, lang: SupportedLang) -> dict:
        return {
            "error": type(self).__name__,
            "message": self.get_message(lang),
            "detail": self.detail,
            "data": self.data,
        }


class ErrorAbout(AppError):
    """The first argument is what the sentence is about."""

    about: str

    def __init__(self, *args: str, **kwargs):
        super().__init__(**dict(zip([self.about], args, strict=bool(args))), **kwargs)


class ValidationError(ErrorAbout):
    about = "reason"
    http_status = 400
    i18n_message = i18n_text(
        zh_CN="请求参数无效: {reason}", en_US="Invalid request parameters: {reason}"
    )


class NotFoundError(ErrorAbout):
    about = "resource"
    http_status = 404
    i18n_message = i18n_text(zh_CN="{resource}不存在", en_US="{resource} not found")


class ConflictError(ErrorAbout):
    about = "resource"
    http_status = 409
    i18n_message = i18n_text(zh_CN="{resource}已存在", en_US="{resource} already exists")


class OperationFailedError(ErrorAbout):
    about = "operation"
    i18n_message = i18n_text(zh_CN="{operation}失败", en_US="{operation} failed")


class UnauthorizedError(AppError):
    http_status = 401
    i18n_message = i18n_text(zh_CN="未授权访问", en_US="Unauthorized access")


class PermissionDeniedError(AppError):
    http_status = 403
    i18n_message = i18n_text(zh_CN="无权限执行此操作", en_US="Permission denied")
