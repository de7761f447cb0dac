#!/usr/bin/env python3
"""A bucket of the S3 server at KHO_TEST_S3_ENDPOINT: made, looked into, copied to a folder, emptied.

    bucket.py ENDPOINT      exits 0 when the server there stores and gives back
"""

import os
import sys

import boto3
from botocore.config import Config

NAME = "kho-outside"


def client(endpoint=None):
    return boto3.client(
        "s3",
        endpoint_url=endpoint or os.environ["KHO_TEST_S3_ENDPOINT"],
        region_name=os.environ.get("AWS_REGION", "us-east-1"),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, connect_timeout=5, read_timeout=30),
    )


def make(s3):
    try:
        s3.create_bucket(Bucket=NAME)
    except s3.exceptions.ClientError as error:
        if "BucketAlready" not in error.response["Error"]["Code"]:
            raise


def keys(s3, prefix):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix=prefix):
        yield from (found["Key"] for found in page.get("Contents", []))


def copy_to(prefix, folder):
    """Every object below a prefix, as a file."""
    s3 = client()
    for key in keys(s3, prefix):
        at = folder / key[len(prefix) :]
        at.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(NAME, key, str(at))


def empty(prefix):
    s3 = client()
    found = list(keys(s3, prefix))
    for start in range(0, len(found), 1000):
        s3.delete_objects(Bucket=NAME, Delete={"Objects": [{"Key": key} for key in found[start : start + 1000]]})


def main():
    s3 = client(sys.argv[1])
    make(s3)
    s3.put_object(Bucket=NAME, Key="is-it-there", Body=b"yes")
    assert s3.get_object(Bucket=NAME, Key="is-it-there")["Body"].read() == b"yes"


if __name__ == "__main__":
    main()
