"""One module a program. Each has TASKS, from a task's name to a function that prepares it and returns the call to be
timed, which returns named arrays when they are there and not before; `as_numpy`; and `versions`."""
