"""The rules: plain functions (Visit, RuleBook) -> findings, one subject a module, named in `plugin.review`."""
