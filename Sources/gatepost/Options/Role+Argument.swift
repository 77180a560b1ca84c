import ArgumentParser
import Store

extension Role: ExpressibleByArgument {}
