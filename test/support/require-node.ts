/** A failed optional install would fall back to another Node in silence; the tests must not run on it. */
if (process.version !== "v24.21.0") {
  throw new Error(
    `niac's tests run on Node v24.21.0, this is ${process.version}. Run scripts/test, or "npm ci" and then "npm exec -- ava".`,
  );
}
