import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { evaluating, type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

describe('a BERT by the names of Hugging Face', () => {
  it('gives what PyTorch gives with the same weights', async () => {
    const { encode, pretrained } = await import('../../examples/src/programs/bert.js');
    const bert = await pretrained();
    const outputs = JSON.parse(readFileSync(at('data/bert/outputs.json'), 'utf8'));
    expect(outputs).toHaveLength(2);
    for (const { text, sequence, pooled } of outputs) {
      const ours = evaluating.run(() => bert(tensor([encode(text)], { dtype: 'int32' })));
      const difference = (a: Tensor, b: Tensor) => a.sub(b).abs().max().item();
      expect(difference(ours.sequence.at(0).narrow(0, 0, sequence.length), tensor(sequence))).toBeLessThan(1e-5);
      expect(difference(ours.pooled.at(0), tensor(pooled))).toBeLessThan(1e-5);
    }
  });

  it('is fine-tuned with a frozen backbone', () => {
    const out = execFileSync(process.execPath, [at('dist/programs/bertFineTune.js')], { encoding: 'utf8' });
    expect(Number(/right: (\d+)%/.exec(out)![1])).toBeGreaterThan(80);
    expect(out).toContain('the backbone is as it was: true');
    expect(out).toContain('The room was fresh and bright: kind\nThis book seemed dull and slow: unkind');
  });
});
