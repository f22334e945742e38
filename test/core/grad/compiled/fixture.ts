// TypeScript compiles this to ES5 and ES2015, which have no generators or async functions; compiled.test.ts runs the results.
declare const grad: typeof import('@gradgate/core');
declare const done: (result: unknown) => void;
const { isGradEnabled, noGrad, enableGrad } = grad;

const steps = noGrad.wrap(function* () {
  const first = isGradEnabled();
  const got: unknown = yield first;
  yield [got, isGradEnabled()];
});
const later = noGrad.wrap(async () => {
  const before = isGradEnabled();
  await null;
  return [before, isGradEnabled()];
});
const stream = noGrad.wrap(async function* () {
  await null;
  yield isGradEnabled();
  yield isGradEnabled();
});

class Model {
  @noGrad evaluate() {
    return isGradEnabled();
  }
  @noGrad *each() {
    yield isGradEnabled();
  }
  @enableGrad async train() {
    await null;
    return isGradEnabled();
  }
}

(async () => {
  const g = steps();
  const out: unknown[] = [g.next().value, isGradEnabled(), g.next('in' as never).value, isGradEnabled(), g.next().done];
  out.push(await later(), isGradEnabled());
  const seen: boolean[] = [];
  for await (const v of stream()) seen.push(v, isGradEnabled());
  out.push(seen);
  const model = new Model();
  out.push(model.evaluate(), Array.from(model.each()), await noGrad.run(() => model.train()), isGradEnabled());
  done(out);
})();
