import type { Condition } from './condition.js';

/** What a decorator declares about one member of a class. */
export interface GradPolicy {
  /** The member's name; `#name` for private ones. */
  readonly member: string | symbol;
  /** What kind of member it is. */
  readonly kind: 'method' | 'getter' | 'setter' | 'accessor';
  /** Whether it is a member of the class itself. */
  readonly static: boolean;
  /** The name of the gate. */
  readonly gate: string;
  /** The condition, or null if the gate always holds. */
  readonly condition: Condition | null;
  /** The class that declares it. */
  readonly declaredIn: string;
}

type Declared = Omit<GradPolicy, 'declaredIn'>;

const key = Symbol.for('gradgate.policies');

// Classes with decorators of the standard dialect get their metadata under this symbol, which Node does not have yet.
// Where built-in objects are frozen it stays undefined.
const metadataKey: symbol = (Symbol as { metadata?: symbol }).metadata ?? Symbol.for('Symbol.metadata');
Reflect.defineProperty(Symbol, 'metadata', { value: metadataKey, writable: true, configurable: true });

/** The legacy dialect's metadata: by reflect-metadata if it is loaded, else kept beside the class. */
interface MetadataReflection {
  getOwnMetadata?(key: unknown, target: object): Declared[] | undefined;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
}
const reflection = Reflect as MetadataReflection;
const besides = new WeakMap<object, Declared[]>();

/** Standard dialect: `context.metadata` belongs to the class and inherits from that of its base. */
export function declareInMetadata(metadata: Record<PropertyKey, unknown> | undefined, policy: Declared): void {
  if (metadata === undefined) return;
  const own = (Object.hasOwn(metadata, key) ? metadata[key] : []) as Declared[];
  metadata[key] = [...own, policy];
}

/** Legacy dialect: `target` is the prototype, or the class for static members. */
export function declareOnTarget(target: object, policy: Declared): void {
  const policies = [...ownLegacy(target), policy];
  if (reflection.defineMetadata) reflection.defineMetadata(key, policies, target);
  besides.set(target, policies);
}

const ownLegacy = (target: object): Declared[] => reflection.getOwnMetadata?.(key, target) ?? besides.get(target) ?? [];

type Class = abstract new (...args: any[]) => unknown;

function ownPolicies(type: Class): Declared[] {
  const metadata = Object.hasOwn(type, metadataKey) ? (type as unknown as Record<symbol, any>)[metadataKey] : undefined;
  const standard = metadata && Object.hasOwn(metadata, key) ? (metadata[key] as Declared[]) : [];
  return [...standard, ...ownLegacy(type), ...ownLegacy(type.prototype as object)];
}

/**
 * The declarations of the decorators on a class and its bases, base first. For a member that a subclass overrides,
 * those of the subclass: without a decorator it has no policy. Stacked decorators give a row each, the inner one first.
 *
 * ```ts
 * class Model {
 *   @noGrad score() {}
 * }
 * gradPolicies(Model).map(({ member, gate }) => [member, gate]); // [['score', 'noGrad']]
 * ```
 */
export function gradPolicies(type: Class): GradPolicy[] {
  if (typeof type !== 'function') throw new TypeError(`gradPolicies: expected a class, got ${typeof type}`);
  const chain: Class[] = [];
  for (let c: Class | null = type; typeof c === 'function' && c !== Function.prototype; c = Object.getPrototypeOf(c))
    chain.unshift(c);
  let policies: GradPolicy[] = [];
  for (const c of chain) {
    const overridden = (p: GradPolicy) =>
      !String(p.member).startsWith('#') && Object.hasOwn(p.static ? c : (c.prototype as object), p.member);
    policies = policies.filter((p) => !overridden(p));
    policies.push(...ownPolicies(c).map((p) => ({ ...p, declaredIn: c.name })));
  }
  return policies;
}
