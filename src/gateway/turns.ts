/** Milliseconds that one turn of the loop gives to a long list. */
const TURN = 5;

/** Does something to each, and lets others have their turn every few milliseconds. */
export async function inTurns<Item>(items: Iterable<Item>, act: (item: Item) => void): Promise<void> {
  let until = performance.now() + TURN;
  for (const item of items) {
    act(item);
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + TURN;
  }
}
