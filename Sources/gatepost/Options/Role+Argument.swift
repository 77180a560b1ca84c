import ArgumentParser
import Store

/// The value of `--role`: a raw value of `Role`, `settings` or `administrator`.
extension Role: ExpressibleByArgument {}
