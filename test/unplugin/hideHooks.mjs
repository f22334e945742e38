// Hides what follows promises, as in a browser.
process.getBuiltinModule = undefined;
