import ArgumentParser
import Foundation

/// `--yes`: destroy without asking.
struct YesOption: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    /// - Throws: ``Failure`` where the answer is no, or nobody can be asked.
    func confirm(_ question: String) throws {
        guard !self.yes else { return }
        guard isatty(0) == 1 else { throw Failure("\(question): say --yes to do it") }
        print("\(question)? [y/N] ", terminator: "")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw Failure("nothing was changed")
        }
    }
}
