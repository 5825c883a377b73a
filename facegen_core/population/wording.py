"""English that captions are made of."""


def with_article(words: str) -> str:
    """Words after "a", or "an" before a vowel."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
