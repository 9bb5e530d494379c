/**
 * Makes a line: what is put into it runs when all that was put in before has ended. After the first that fails no other is
 * run, and all fail with its reason.
 */
export function lineUntilFailure(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return work => {
    const turn = last.then(work);
    // Whoever put it in hears of the failure.
    turn.catch(() => {});
    last = turn;
    return turn;
  };
}
