/** Milliseconds that one turn of the loop gives to a long list. */
const TURN = 5;

/** Does something to each, and lets others have their turn every few milliseconds, told by `now`. */
export async function inTurns<Item>(
  items: Iterable<Item>,
  act: (item: Item) => void,
  now: () => number = () => performance.now(),
): Promise<void> {
  let until = now() + TURN;
  for (const item of items) {
    act(item);
    if (now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = now() + TURN;
  }
}
