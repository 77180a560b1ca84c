import ArgumentParser
import Foundation
import Gateway
import Store

/// Where the configuration is.
struct ConfigurationOption: ParsableArguments {
    @Option(help: "The configuration (default: GATEPOST_CONFIG, gatepost.yaml, /etc/gatepost).")
    var config: String?

    func load() async throws -> GatewayConfiguration {
        do {
            guard Actor.current.isBySudo else {
                return try await GatewayConfiguration(
                    file: try GatewayConfiguration.locate(self.config)
                )
            }
            // It says which store is asked for roles, and where secrets are sent: neither the folder
            // that the caller is in nor the caller's environment says which one it is.
            let file = try TrustedPath.configuration.require(
                self.config ?? GatewayConfiguration.systemFile
            )
            return try await GatewayConfiguration(file: file, readsEnvironment: false) { path in
                try TrustedPath.named.require(path)
            }
        } catch let error as ConfigurationError {
            throw Failure(error.description)
        }
    }

    func openStore() async throws -> PermissionStore {
        let configuration = try await self.load()
        try await StoreInPlace.require(configuration)
        return try PermissionStore(path: configuration.store, creates: false)
    }

    /// What the gateway logs in with at an account's server.
    func credential(of account: UpstreamAccount) async throws -> UpstreamCredential {
        let configuration = try await self.load()
        let credentials = CredentialSource(
            try MasterKey(file: configuration.masterKey),
            application: configuration.exchange
        )
        do {
            let credential = try await credentials.credential(of: account)
            await credentials.shutdown()
            return credential
        } catch {
            await credentials.shutdown()
            throw error
        }
    }

    /// Whose an account is says who has to be asked: where owners are asked, or told, administrators
    /// decide it.
    func requireOwnersLeave(_ store: PermissionStore) async throws {
        let told = try await self.load().oversight.consent
        guard try store.consent(atLeast: told) != .off else { return }
        try store.requireRole(.administrator, actor: Actor.current)
    }

    /// The store, for a command that changes it.
    func openForChange(
        _ role: Role = .settings
    ) async throws -> (store: PermissionStore, actor: String) {
        let store = try await self.openStore()
        let actor = Actor.current
        try store.requireRole(role, actor: actor)
        return (store, actor.recorded)
    }
}

extension Actor {
    /// The operating-system user who runs this command, and who became that one by sudo.
    static var current: Actor {
        let environment = ProcessInfo.processInfo.environment
        let original = environment["SUDO_USER"].flatMap { $0.isEmpty || $0 == "root" ? nil : $0 }
        return Actor(name: NSUserName(), userID: getuid(), original: original)
    }
}

/// A file that a command reads.
enum InputFile {
    /// - Parameter name: `-` for standard input, the only one that who came by sudo may give: another
    ///   would be opened with the rights of the gateway's user.
    static func contents(_ name: String) throws -> Data {
        if name == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
        guard !Actor.current.isBySudo else {
            throw Failure("by sudo, give the file as input: - < \(name)")
        }
        guard let octets = FileManager.default.contents(atPath: name) else {
            throw Failure("\(name) cannot be read")
        }
        return octets
    }
}

/// `--json`: one document on standard output, and nothing else there.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print one JSON document.")
    var json = false
}

/// `--yes`: destroy without asking.
struct YesOption: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    func confirm(_ question: String) throws {
        guard !self.yes else { return }
        guard isatty(0) == 1 else { throw Failure("\(question): say --yes to do it") }
        print("\(question)? [y/N] ", terminator: "")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw Failure("nothing was changed")
        }
    }
}

extension Actor {
    /// Whether somebody else than root runs this as the gateway's user.
    var isBySudo: Bool { self.original != nil && geteuid() != 0 }
}

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

    /// Asks without echo.
    static func ask(_ prompt: String) throws -> String {
        FileHandle.standardError.write(Data(prompt.utf8))
        var settings = termios()
        tcgetattr(0, &settings)
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSANOW, &silent)
        defer {
            tcsetattr(0, TCSANOW, &settings)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        return try self.nonEmpty(readLine(strippingNewline: true))
    }
}

/// Prints what a command found.
enum Output {
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// An aligned table; what does not fit the terminal is cut in the last column.
    static func table(_ header: [String], rows: [[String]]) {
        let all = [header] + rows.map { $0.map(self.printable) }
        var widths = header.map(\.count)
        for row in all {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        let width = self.terminalWidth
        for row in all {
            var line = ""
            for (index, cell) in row.enumerated() {
                let isLast = index == row.count - 1
                line +=
                    isLast
                    ? cell : cell + String(repeating: " ", count: widths[index] + 2 - cell.count)
            }
            print(width.map { String(line.prefix($0)) } ?? line)
        }
    }

    /// A line of text in which names from elsewhere may be.
    static func line(_ text: String) {
        print(self.printable(text))
    }

    /// Control characters, ends of lines and what turns the direction of writing as escapes: a name
    /// from elsewhere must not drive the terminal, nor look like another line of a log.
    static func printable(_ text: some StringProtocol) -> String {
        text.unicodeScalars.map { scalar in
            let properties = scalar.properties
            let isEscaped =
                switch properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: true
                default: properties.isBidiControl
                }
            return isEscaped ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }

    /// Nil when the output is no terminal.
    private static var terminalWidth: Int? {
        guard isatty(1) == 1 else { return nil }
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
