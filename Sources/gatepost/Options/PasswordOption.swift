import ArgumentParser
import Foundation
import Store

/// The source of a password. An argument is never one: other users see it in the process list.
struct PasswordOption: ParsableArguments {
    @Flag(help: "Read the password from standard input, up to the first line end.")
    var passwordStdin = false

    @Option(help: "Read the password from a file, up to the first line end.")
    var passwordFile: String?

    /// Reads the password from the source that the options name, else from the terminal.
    ///
    /// - Parameter prompt: the text that asks at a terminal; nil to ask for none.
    /// - Returns: nil if no option names a source and nothing is asked.
    /// - Throws: ``Failure`` if the password is empty, differs when repeated, or is unreadable.
    func read(prompt: String?) throws -> String? {
        if self.passwordStdin { return try Self.nonEmpty(readLine(strippingNewline: true)) }
        if let file = self.passwordFile {
            // The gateway's user may read the gateway's secrets; a file that a caller names may be
            // one.
            guard !Actor.current.isBySudo else {
                throw Failure("by sudo, redirect the file: --password-stdin < \(file)")
            }
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw Failure("cannot read \(file): check its path and its permissions")
            }
            return try Self.nonEmpty(String(text.prefix { !$0.isNewline }))
        }
        guard let prompt, isatty(0) == 1 else { return nil }
        let password = try Self.ask(prompt)
        guard try Self.ask("Repeat it: ") == password else {
            throw Failure("the two passwords differ; nothing was changed: try again")
        }
        return password
    }

    /// - Throws: ``Failure`` for a missing or empty password.
    private static func nonEmpty(_ text: String?) throws -> String {
        guard let text, !text.isEmpty else { throw Failure("the password is empty: enter one") }
        return text
    }

    /// Asks for a password at the terminal, without echo.
    /// - Throws: ``Failure`` for an empty password.
    static func ask(_ prompt: String) throws -> String {
        try self.nonEmpty(Terminal.ask(prompt))
    }
}
