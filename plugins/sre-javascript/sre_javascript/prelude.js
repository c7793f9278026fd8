// What code finds besides the language, a console and timers, and the one function that the worker calls.
// All that is used from the language is taken now: what code does to it later changes nothing here.
(() => {
    "use strict";
    const { parse, stringify } = JSON;
    const { hasOwn, create, defineProperty } = Object;
    const { apply } = Reflect;
    const { now } = Date;
    const { max } = Math;
    const text = String;
    const failure = Error;
    const global = globalThis;
    const evaluate = eval;
    const then = Promise.prototype.then;
    const later = (value, done, failed) => apply(then, value, [done, failed]);
    const promise = Promise;

    const LINES = 65536; // characters of the console that are kept
    let lines = "";

    const shown = (value) => {
        if (typeof value === "string") return value;
        if (value instanceof failure) return described(value);
        if (typeof value === "object" && value !== null) {
            try {
                return stringify(value) ?? text(value);
            } catch {
                return "[object]";
            }
        }
        return typeof value === "function" ? "[function]" : text(value);
    };
    const described = (error) => {
        try {
            if (error instanceof failure) return `${error.name}: ${error.message}\n${error.stack ?? ""}`;
            return shown(error);
        } catch {
            return "Error: one that cannot be described";
        }
    };
    const log = (...values) => {
        let line = "";
        for (let i = 0; i < values.length; i++) line += (i ? " " : "") + shown(values[i]);
        if (lines.length < LINES) lines += line + "\n";
    };
    global.console = { log, info: log, warn: log, error: log, debug: log, trace: log };

    const timers = create(null);
    let count = 0;
    const timer = (repeats) => (callback, delay, ...values) => {
        if (typeof callback !== "function") throw new TypeError("a timer needs a function");
        const pause = max(0, +delay || 0);
        timers[++count] = { at: now() + pause, callback, values, pause: repeats ? max(1, pause) : -1 };
        return count;
    };
    const clear = (id) => {
        delete timers[text(id)];
    };
    for (const [name, value] of [
        ["setTimeout", timer(false)], ["setInterval", timer(true)], ["clearTimeout", clear], ["clearInterval", clear],
        ["queueMicrotask", (callback) => void later(promise.resolve(), () => callback())],
    ]) defineProperty(global, name, { value, writable: true, configurable: true });

    // The id of the timer that is due first, or nothing.
    const first = () => {
        let found;
        for (const id in timers) if (found === undefined || timers[id].at < timers[found].at) found = id;
        return found;
    };

    let state = { settled: false };
    const settle = (key) => (value) => {
        if (!state.settled) state = { settled: true, [key]: value };
    };

    const commands = {
        // Calls main with the inputs that its parameters name.
        start: (given) => {
            const { names, inputs } = parse(given);
            const main = evaluate("typeof main === 'undefined' ? undefined : main");
            if (typeof main !== "function") return "no main";
            const values = [];
            for (let i = 0; i < names.length; i++) {
                const name = names[i];
                defineProperty(values, i, {
                    value: name === null ? inputs : hasOwn(inputs, name) ? inputs[name] : undefined,
                    writable: true, enumerable: true, configurable: true,
                });
            }
            try {
                later(new promise((resolve) => resolve(apply(main, undefined, values))), settle("value"), settle("error"));
            } catch (error) {
                settle("error")(error);
            }
            return "";
        },
        settled: () => state.settled,
        // Milliseconds until the first timer is due, or -1.
        pause: () => {
            const id = first();
            return id === undefined ? -1 : max(0, timers[id].at - now());
        },
        // Runs the first timer.
        fire: () => {
            const id = first();
            const { callback, values, pause } = timers[id];
            if (pause < 0) delete timers[id];
            else timers[id].at = now() + pause;
            try {
                apply(callback, undefined, values);
            } catch (error) {
                settle("error")(error);
            }
        },
        // As JSON, like all text that the worker gets: the engine keeps a text that was put together in pieces.
        error: () => stringify(hasOwn(state, "error") ? described(state.error) || "Error: it has no message" : ""),
        // JSON, "" for undefined, or nothing for what JSON has no form for.
        value: () => {
            const value = hasOwn(state, "value") ? state.value : undefined;
            return value === undefined ? "" : stringify(value);
        },
        lines: () => stringify(lines),
    };
    return (command, given) => commands[command](given);
})();
