import ArgumentParser
import Foundation
import Store

/// Where a password comes from; never from an argument.
struct PasswordOption: ParsableArguments {
    @Flag(help: "Read the password from standard input, up to the first line end.")
    var passwordStdin = false

    @Option(help: "Read the password from a file, up to the first line end.")
    var passwordFile: String?

    /// - Parameter prompt: what to ask at a terminal; nil to do without.
    func read(prompt: String?) throws -> String? {
        if self.passwordStdin { return try Self.nonEmpty(readLine(strippingNewline: true)) }
        if let file = self.passwordFile {
            // It would be read with the rights of the gateway's user, which may read its secrets.
            guard !Actor.current.isBySudo else {
                throw Failure("by sudo, give the password as input: --password-stdin < \(file)")
            }
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw Failure("\(file) cannot be read")
            }
            return try Self.nonEmpty(String(text.prefix { !$0.isNewline }))
        }
        guard let prompt, isatty(0) == 1 else { return nil }
        let password = try Self.ask(prompt)
        guard try Self.ask("Once more: ") == password else {
            throw Failure("the two passwords differ; nothing was changed")
        }
        return password
    }

    private static func nonEmpty(_ text: String?) throws -> String {
        guard let text, !text.isEmpty else { throw Failure("the password is empty") }
        return text
    }

    /// Asks at the terminal, without echo.
    /// - Throws: ``Failure`` for an empty answer.
    static func ask(_ prompt: String) throws -> String {
        try self.nonEmpty(Terminal.ask(prompt))
    }
}
