import ArgumentParser
import Foundation

/// `--yes`: a destructive command acts without a question.
struct YesOption: ParsableArguments {
    @Flag(help: "Do not ask for confirmation.")
    var yes = false

    /// Asks the question at the terminal and continues only after `y` or `yes`.
    /// - Throws: ``Failure`` if the answer is another one, or if standard input is no terminal.
    func confirm(_ question: String) throws {
        guard !self.yes else { return }
        guard isatty(0) == 1 else { throw Failure("\(question)? Confirm with --yes") }
        print("\(question)? [y/N] ", terminator: "")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw Failure("not confirmed; nothing was changed")
        }
    }
}
