"""A client of the SDK, passed through as it is, that notes which operations were called and answered."""


class Watched:
    """Behaves as the client it is made from; `calls` gains the names of methods as they succeed."""

    def __init__(self, client, calls):
        self.unwatched = client
        self._calls = calls

    def __getattr__(self, name):
        value = getattr(self.unwatched, name)
        if type(value).__module__.startswith("authress.api"):
            return _Api(value, name, self._calls)
        return value


class _Api:
    def __init__(self, api, name, calls):
        self._api = api
        self._name = name
        self._calls = calls

    def __getattr__(self, method):
        value = getattr(self._api, method)
        if not callable(value):
            return value

        def call(*arguments, **named):
            answer = value(*arguments, **named)
            self._calls.add((self._name, method))
            return answer

        return call
