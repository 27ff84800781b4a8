// Runs state machines for Python: JSON lines in, JSON lines out.
//
//   in   {"run": id, "definition", "input", "context", "now"}   start an execution
//        {"task": n, "result"} or {"task": n, "error", "cause"}  what became of a task
//        {"now": ms}                                            the tests' clock was set forward
//        {"abort": id}                                          stop an execution
//   out  {"task": n, "run": id, "state", "resource", "input"}    a task is to be done
//        {"timer": n, "due": ms}, {"cleared": n}                 something waits for that instant
//        {"heard": n}                                           the nth line has had its effect
//        {"entered": state, "run": id}
//        {"ended": id, "output"} or {"ended": id, "error", "cause"}
//
// The interpreter reads time from Date and waits by setTimeout; both are the tests' clock here, so
// that waits, pauses before retries and time limits are all subject to it.

import { createInterface } from 'node:readline';

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const RealDate = Date;
let ahead = 0;
const now = () => RealDate.now() + ahead;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [now()]));
  }
  static now() {
    return now();
  }
};

const timers = new Map();
let timerNumber = 0;
globalThis.setTimeout = (action, milliseconds = 0) => {
  const number = ++timerNumber;
  const due = now() + Math.max(0, milliseconds);
  timers.set(number, { due, action });
  say({ timer: number, due });
  return number;
};
globalThis.clearTimeout = (number) => {
  if (timers.delete(number)) say({ cleared: number });
};

const fire = () => {
  const ready = [...timers].filter(([, timer]) => timer.due <= now() + 1);
  ready.sort(([, one], [, other]) => one.due - other.due);
  for (const [number, timer] of ready) {
    timers.delete(number);
    timer.action();
  }
};

// Imported only now: what it refers to is ours already.
const { StateMachine } = await import('aws-local-stepfunctions');

const tasks = new Map();
const executions = new Map();
let taskNumber = 0;

// Every Task state, at whatever depth, with what answers it. On AWS a task without a limit of its
// own has none to speak of; the interpreter would give it a minute.
const handlers = (machine, run, found = {}) => {
  for (const [state, value] of Object.entries(machine.States)) {
    // "$" is the default, which the interpreter knows by its absence alone.
    for (const each of [value, ...(value.Catch ?? [])]) {
      if (each.ResultPath === '$') delete each.ResultPath;
    }
    if (value.Type === 'Task') {
      if (!('TimeoutSeconds' in value || 'TimeoutSecondsPath' in value)) {
        value.TimeoutSeconds = 99999999;
      }
      found[state] = (input) =>
        new Promise((resolve, reject) => {
          const task = ++taskNumber;
          tasks.set(task, { resolve, reject });
          say({ task, run, state, resource: value.Resource, input });
        });
    }
    for (const inner of [...(value.Branches ?? []), value.ItemProcessor, value.Iterator]) {
      if (inner) handlers(inner, run, found);
    }
  }
  return found;
};

const start = async ({ run, definition, input, context }) => {
  let ended;
  try {
    const taskResourceLocalHandlers = handlers(definition, run);
    const execution = new StateMachine(definition).run(input, {
      context,
      overrides: { taskResourceLocalHandlers },
    });
    executions.set(run, execution);
    (async () => {
      for await (const event of execution.eventLogs) {
        if (event.type === 'StateEntered') say({ entered: event.state.name, run });
      }
    })();
    ended = { output: await execution.result };
  } catch (error) {
    const told = error.name === 'ExecutionError' ? error.cause : error;
    const names = { ExecutionTimeoutError: 'States.Timeout', ExecutionAbortedError: 'Aborted' };
    ended = { error: names[told.name] ?? told.name, cause: told.message };
  }
  executions.delete(run);
  say({ ended: run, ...ended });
};

let lines = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if ('now' in told) {
    ahead = told.now - RealDate.now();
    fire();
  }
  if ('run' in told) {
    start(told);
  } else if ('abort' in told) {
    executions.get(told.abort)?.abort();
  } else if ('task' in told) {
    const { resolve, reject } = tasks.get(told.task);
    tasks.delete(told.task);
    if ('error' in told) {
      const error = new Error(told.cause);
      error.name = told.error;
      reject(error);
    } else {
      resolve(told.result);
    }
  }
  const heard = ++lines;
  // Once what was set off has come to where it waits again.
  setImmediate(() => say({ heard }));
}
