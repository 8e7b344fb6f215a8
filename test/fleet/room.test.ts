// Whether the homes of an endpoint that is drained find room elsewhere, by what the registry knows of the others.
import test from 'ava';
import fc from 'fast-check';
import { type LimitBook, NO_LIMITS } from '../../src/core/endpoint/admission/limits.ts';
import {
  findShortage,
  type LeavingHome,
  type TakingEndpoint,
} from '../../src/core/endpoint/fleet/room.ts';
import { runs } from '../property-runs.ts';

const home = (name: string, slots = 80, kBps = slots / 2): LeavingHome => ({ name, slots, kBps });
const taking = (name: string, slots: number, cores: number | null = 2): TakingEndpoint => ({
  ...{ name, slots, kBps: slots / 2, cores },
});
const find = (
  leaving: readonly LeavingHome[],
  others: readonly TakingEndpoint[],
  book: LimitBook,
  homes: number,
) => findShortage({ leaving, others, book, homes });
const machine = (most: LimitBook['machine']): LimitBook => ({ ...NO_LIMITS, machine: most });

test('where others have room for all there is nothing to say', (t) => {
  t.is(find([], [taking('b', 900)], machine({ slots: 900 }), 9), null);
  t.is(find([home('x')], [taking('b', 820)], machine({ slots: 900 }), 9), null);
  // Room for one each.
  const others = [taking('b', 100), taking('c', 100)];
  t.is(find([home('x'), home('y')], others, machine({ slots: 180 }), 9), null);
  // No bound is known: the machine has not said what it is, or is to have none.
  t.is(find([home('x', 90_000)], [taking('b', 1, null)], NO_LIMITS, 9), null);
  t.is(find([home('x', 90_000)], [taking('b', 1)], machine({ slots: null }), 9), null);
  // A plain tunnel has no slots.
  t.is(find([home('x', 0)], [taking('b', 900)], machine({ slots: 900 }), 9), null);
});

test('those that find none are named, with what is left and what would be enough', (t) => {
  const leaving = ['x', 'y', 'z'].map((name) => home(name));
  t.deepEqual(find(leaving, [taking('b', 100)], machine({ slots: 270 }), 9), {
    homes: ['z'],
    leaving: { slots: 240, kBps: 120 },
    left: [{ name: 'b', slots: 170, kBps: null }],
    enough: { slots: 340, kBps: null },
  });
  t.is(find(leaving, [taking('b', 100)], machine({ slots: 340 }), 9), null);
});

test('KB/s may be what is missing', (t) => {
  const leaving = [home('x', 80, 40), home('y', 80, 40.5)];
  t.deepEqual(find(leaving, [taking('b', 100)], machine({ kBps: 100 }), 9), {
    homes: ['y'],
    leaving: { slots: 160, kBps: 80.5 },
    left: [{ name: 'b', slots: 7900, kBps: 50 }],
    enough: { slots: null, kBps: 131 },
  });
});

test('a home without a figure of its own finds room only where it is half of the machine at most', (t) => {
  const shortage = (book: LimitBook, homes: number) =>
    find([home('x', 5000)], [taking('b', 0)], book, homes);
  t.deepEqual(shortage(NO_LIMITS, 2)?.enough, { slots: 10_000, kBps: null });
  t.is(shortage(machine({ slots: 10_000 }), 2), null);
  t.is(shortage({ ...NO_LIMITS, homes: { x: { slots: 6000 } } }, 2), null);
  // Nobody is there to leave anything to.
  t.is(shortage(machine({ slots: 5000 }), 1), null);
});

test('what is said to be enough is, and lets nobody carry less', (t) => {
  const slots = fc.integer({ min: 0, max: 6000 });
  fc.assert(
    fc.property(
      fc.array(slots, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(slots, fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 4 }),
      fc.option(fc.integer({ min: 1, max: 9000 })),
      (homes, machines, kBps) => {
        const leaving = homes.map((one, index) => home(`home${index}`, one));
        const others = machines.map(([one, cores], index) => taking(`vps${index}`, one, cores));
        const book = machine(kBps === null ? {} : { kBps });
        const found = find(leaving, others, book, 20);
        if (found === null) return;
        t.true(found.homes.length > 0);
        const { enough } = found;
        t.true(enough.slots !== null || enough.kBps !== null);
        const raised = {
          ...book.machine,
          ...(enough.slots === null ? {} : { slots: enough.slots }),
          ...(enough.kBps === null ? {} : { kBps: enough.kBps }),
        };
        t.is(find(leaving, others, machine(raised), 20), null);
        const reckoned = machines.map(([, cores]) => Math.min(4000 * cores, 16_000));
        t.true(enough.slots === null || enough.slots >= Math.max(...reckoned));
      },
    ),
    { numRuns: runs(300) },
  );
});
