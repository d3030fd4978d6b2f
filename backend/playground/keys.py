"""Keys: whoever has that of a session, a run or a sweep may change it. Only their hashes are kept."""

import hashlib
import hmac
import secrets

ID_LENGTH = 12


def new_key() -> str:
    return secrets.token_urlsafe(24)


def hash_of(key: str) -> str:
    """What is kept of a key: SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def id_of(key_hash: str) -> str:
    """What has a key is called by its hash, so that only who has the key can make it again."""
    return key_hash[:ID_LENGTH]


def opens(key: str, key_hash: str) -> bool:
    """Whether this is the key; takes the same time for every one that is not."""
    return hmac.compare_digest(hash_of(key), key_hash)
