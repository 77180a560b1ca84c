import Foundation
import NIOCore
import Session
import Store
import Support
import Testing

@testable import Gateway

/// `gatepost.yaml`: each key, what it becomes, and what is said where it is wrong: file, key and remedy.
@Suite struct ConfigurationTests {
    /// The lines that every configuration needs, by key.
    private static let needed = [
        "listen": "listen:\n  imaps: \"127.0.0.1:993\"",
        "tls": "tls:\n  certificates: [\"a.pem\"]\n  keys: [\"a.key\"]",
        "store": "store: a.sqlite", "masterKey": "masterKey: master.key",
    ]

    private static func read(
        _ lines: String = "",
        without key: String? = nil,
        in folder: TemporaryFolder? = nil
    ) async throws -> (configuration: GatewayConfiguration, folder: TemporaryFolder) {
        let folder = try folder ?? TemporaryFolder()
        let text = self.needed.filter { $0.key != key }.sorted { $0.key < $1.key }
            .map(\.value).joined(separator: "\n")
        let file = try folder.write("\(text)\n\(lines)\n", as: "gatepost.yaml")
        return (try await GatewayConfiguration(file: file, readsEnvironment: false), folder)
    }

    /// What is said of a configuration with these lines; fails where nothing is wrong with it.
    private static func complaint(
        _ lines: String = "",
        without key: String? = nil,
        in folder: TemporaryFolder? = nil
    ) async -> String {
        do {
            _ = try await self.read(lines, without: key, in: folder)
            Issue.record("accepted: \(lines)")
            return ""
        } catch let error as ConfigurationError {
            return error.description
        } catch {
            Issue.record("\(error)")
            return ""
        }
    }

    // MARK: - What every configuration has

    @Test func `a minimal configuration has defaults for all other keys`() async throws {
        let (configuration, folder) = try await Self.read()
        #expect(
            configuration.listeners == [Listener(kind: .imaps, address: "127.0.0.1", port: 993)]
        )
        #expect(configuration.store == folder.path("a.sqlite"))
        #expect(configuration.masterKey == folder.path("master.key"))
        #expect(
            configuration.certificates == [
                CertificateFiles(certificate: folder.path("a.pem"), key: folder.path("a.key"))
            ]
        )
        #expect(configuration.threads == System.coreCount)
        #expect(configuration.logLevel == "info")
        #expect(configuration.exchange == nil && configuration.runAs == nil)
        #expect(configuration.oversight.audit == .besteffort)
        #expect(configuration.oversight.auditDays == nil)
        #expect(configuration.oversight.consent == .off)
        #expect(configuration.subscribesShared)
        #expect(configuration.controlSocket == folder.path("gatepost.sock"))
        #expect(configuration.limits.stallTime == nil)
    }

    @Test(arguments: ["listen", "tls", "store", "masterKey"])
    func `a missing required key is named`(key: String) async {
        let complaint = await Self.complaint(without: key)
        #expect(complaint.contains("gatepost.yaml: \(key): "), "\(complaint)")
    }

    @Test(arguments: [
        ("store: \"\"", "store"), ("masterKey: \"\"", "masterKey"),
    ])
    func `an empty path is named`(line: String, key: String) async {
        let complaint = await Self.complaint(line, without: key)
        #expect(complaint.contains("\(key): the path of a file is needed"), "\(complaint)")
    }

    @Test func `an absolute path is kept, and a relative one is relative to the configuration`()
        async throws
    {
        let (configuration, folder) = try await Self.read("store: /var/a.sqlite", without: "store")
        #expect(configuration.store == "/var/a.sqlite")
        #expect(configuration.controlSocket == "/var/gatepost.sock")
        #expect(configuration.masterKey == folder.path("master.key"))
    }

    @Test func `each path is checked before it is read`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            Self.needed.values.joined(separator: "\n"),
            as: "gatepost.yaml"
        )
        for name in ["a.sqlite", "master.key", "a.pem", "a.key"] {
            let error = await #expect(throws: ConfigurationError.self) {
                try await GatewayConfiguration(file: file, readsEnvironment: false) { path in
                    guard path.hasSuffix(name) else { return }
                    throw ConfigurationError(description: "not \(path)")
                }
            }
            #expect(error?.description == "not \(folder.path(name))")
        }
    }

    // MARK: - Listeners

    @Test(arguments: [
        ("imaps", "0.0.0.0:993", "0.0.0.0", 993), ("imap", "127.0.0.1:143", "127.0.0.1", 143),
        ("submissions", "[::]:465", "::", 465), ("submission", "[::1]:587", "::1", 587),
        ("imaps", "mail.example:1", "mail.example", 1),
        ("imaps", "localhost:65535", "localhost", 65_535),
    ])
    func `a listener is an address and a port`(
        kind: String,
        text: String,
        address: String,
        port: Int
    ) async throws {
        let (configuration, _) = try await Self.read(
            "listen:\n  \(kind): \"\(text)\"",
            without: "listen"
        )
        let listener = try #require(configuration.listeners.first)
        #expect(configuration.listeners.count == 1)
        #expect(listener.kind.rawValue == kind)
        #expect(listener.address == address && listener.port == port)
        #expect(listener.kind.isImplicitTLS == kind.hasSuffix("s"))
    }

    @Test(arguments: Listener.Kind.allCases)
    func `an invalid listener is named, with an example`(kind: Listener.Kind) async {
        for text in ["993", "0.0.0.0", "0.0.0.0:0", "0.0.0.0:65536", "0.0.0.0:x", "0.0.0.0:-1", ""]
        {
            let complaint = await Self.complaint(
                "listen:\n  \(kind.rawValue): \"\(text)\"",
                without: "listen"
            )
            #expect(
                complaint.hasSuffix(
                    "listen.\(kind.rawValue): ADDRESS:PORT, for example 0.0.0.0:993"
                ),
                "\(text): \(complaint)"
            )
        }
    }

    @Test func `all four kinds of listener can be configured at once`() async throws {
        let lines = Listener.Kind.allCases.enumerated()
            .map { "  \($1.rawValue): \"127.0.0.1:\($0 + 1)\"" }.joined(separator: "\n")
        let (configuration, _) = try await Self.read("listen:\n\(lines)", without: "listen")
        #expect(configuration.listeners.map(\.kind) == Listener.Kind.allCases)
    }

    // MARK: - Certificates

    @Test(arguments: [
        "tls:\n  certificates: []\n  keys: []", "tls:\n  certificates: [\"a.pem\"]",
        "tls:\n  certificates: [\"a.pem\", \"b.pem\"]\n  keys: [\"a.key\"]",
        "tls:\n  keys: [\"a.key\"]",
    ])
    func `the number of keys must equal the number of certificates`(lines: String) async {
        let complaint = await Self.complaint(lines, without: "tls")
        #expect(complaint.hasSuffix("tls: as many keys as certificates, and at least one"))
    }

    @Test func `certificates and keys are paired by their order`() async throws {
        let (configuration, folder) = try await Self.read(
            "tls:\n  certificates: [\"a.pem\", \"/b.pem\"]\n  keys: [\"a.key\", \"b.key\"]",
            without: "tls"
        )
        #expect(
            configuration.certificates == [
                CertificateFiles(certificate: folder.path("a.pem"), key: folder.path("a.key")),
                CertificateFiles(certificate: "/b.pem", key: folder.path("b.key")),
            ]
        )
    }

    // MARK: - Numbers

    /// A key, its least and its greatest value, and what it becomes.
    struct Number: CustomTestStringConvertible, Sendable {
        var key: String
        var range: ClosedRange<Int>
        var read: @Sendable (GatewayConfiguration) -> Int
        var testDescription: String { self.key }

        init(
            _ key: String,
            _ range: ClosedRange<Int>,
            _ read: @escaping @Sendable (GatewayConfiguration) -> Int
        ) {
            self.key = key
            self.range = range
            self.read = read
        }

        func line(_ value: String) -> String {
            let parts = self.key.split(separator: ".")
            return parts.count == 2
                ? "\(parts[0]):\n  \(parts[1]): \(value)" : "\(self.key): \(value)"
        }
    }

    private static func seconds(_ time: TimeAmount) -> Int {
        Int(time.nanoseconds / 1_000_000_000)
    }

    static let numbers = [
        Number("threads", 1...256) { $0.threads },
        Number("auditDays", 0...36_500) { $0.oversight.auditDays ?? 0 },
        Number("limits.connectionsPerAddress", 1...1_000_000) { $0.limits.connectionsPerAddress },
        Number("limits.connectionsPerUser", 1...1_000_000) { $0.limits.connectionsPerUser },
        Number("limits.loginSeconds", 1...600) { seconds($0.limits.loginTimeout) },
        Number("limits.idleMinutes", 1...1_440) { seconds($0.limits.idleTimeout) / 60 },
        Number("limits.upstreamSeconds", 1...600) { seconds($0.limits.upstreamTimeout) },
        Number("limits.listSeconds", 1...600) { seconds($0.limits.listTime) },
        Number("limits.listConnections", 0...1_000_000) { $0.limits.listConnections },
        Number("limits.folderListSeconds", 0...86_400) { seconds($0.limits.folderListTime) },
        Number("limits.upstreamAnswerSeconds", 1...3_600) {
            seconds($0.limits.upstreamAnswerTime)
        },
        Number("limits.upstreamWorkSeconds", 1...86_400) { seconds($0.limits.upstreamWorkTime) },
        Number("limits.upstreamTransferSeconds", 1...3_600) {
            seconds($0.limits.upstreamTransferTime)
        },
        Number("limits.drainSeconds", 0...600) { seconds($0.limits.drainTime) },
        Number("limits.settleSeconds", 1...3_600) { seconds($0.limits.settleTime) },
        Number("limits.messageMebibytes", 1...2_047) { $0.limits.messageMebibytes },
        Number("limits.messageSeconds", 1...86_400) { seconds($0.limits.messageTime) },
        Number("limits.recipientsPerMessage", 1...100_000) {
            $0.limits.sending.recipientsPerMessage
        },
        Number("limits.messagesPerHour", 1...1_000_000) { $0.limits.sending.messagesPerHour },
        Number("limits.recipientsPerHour", 1...10_000_000) { $0.limits.sending.recipientsPerHour },
        Number("limits.stallMilliseconds", 1...10_000) {
            Int(($0.limits.stallTime ?? .zero).nanoseconds / 1_000_000)
        },
    ]

    @Test(arguments: numbers)
    func `a number is accepted from its minimum to its maximum`(number: Number) async throws {
        for value in [number.range.lowerBound, number.range.upperBound] {
            for text in ["\(value)", "\"\(value)\""] {
                let (configuration, _) = try await Self.read(number.line(text))
                #expect(number.read(configuration) == value, "\(number.key): \(text)")
            }
        }
    }

    @Test(arguments: numbers)
    func `a number out of its range, or text, is refused with the range`(
        number: Number
    ) async {
        let range = number.range
        let remedy = "\(number.key): a number from \(range.lowerBound) to \(range.upperBound)"
        for text in [
            "\(range.lowerBound - 1)", "\(range.upperBound + 1)", "many", "\"\"", "\"1 \"",
            "99999999999999999999",
        ] {
            let complaint = await Self.complaint(number.line(text))
            #expect(complaint.hasSuffix(remedy), "\(text): \(complaint)")
        }
    }

    @Test(arguments: numbers)
    func `a missing number has its default`(number: Number) async throws {
        let (configuration, _) = try await Self.read()
        let (other, _) = try await Self.read("log:\n  level: debug")
        #expect(number.read(configuration) == number.read(other))
    }

    // MARK: - Words

    @Test(arguments: ["trace", "debug", "info", "notice", "warning", "error", "critical"])
    func `a level of the log is one of seven words`(level: String) async throws {
        #expect(try await Self.read("log:\n  level: \(level)").configuration.logLevel == level)
    }

    @Test(arguments: ["verbose", "INFO", "\"\""])
    func `an unknown log level is refused with the list of levels`(level: String) async {
        let complaint = await Self.complaint("log:\n  level: \(level)")
        #expect(
            complaint.hasSuffix(
                "log.level: one of trace, debug, info, notice, warning, error, critical"
            )
        )
    }

    @Test(arguments: [
        ("audit: required", GatewayConfiguration.AuditMode.required),
        ("audit: besteffort", .besteffort), ("audit: \"required\"", .required), ("", .besteffort),
    ])
    func `the audit log is required or best effort`(
        line: String,
        mode: GatewayConfiguration.AuditMode
    ) async throws {
        #expect(try await Self.read(line).configuration.oversight.audit == mode)
    }

    @Test(arguments: [
        ("consent: off", Consent.off), ("consent: \"off\"", .off), ("consent: notify", .notify),
        ("consent: required", .required), ("", .off),
    ])
    func `the consent setting has three values`(line: String, consent: Consent) async throws {
        #expect(try await Self.read(line).configuration.oversight.consent == consent)
    }

    @Test(arguments: [
        "audit: sometimes", "audit: true", "audit: \"\"", "consent: on", "consent: x",
    ])
    func `an unknown word is refused with the allowed ones`(line: String) async {
        let key = String(line.prefix { $0 != ":" })
        let complaint = await Self.complaint(line)
        #expect(complaint.contains("\(key): one of "), "\(complaint)")
        #expect(complaint.contains("required"))
    }

    @Test(arguments: [
        ("hostName: mail.example", "mail.example"), ("hostName: \"a-1.B\"", "a-1.B"),
    ])
    func `hostName consists of letters, digits, dots and hyphens`(
        line: String,
        name: String
    ) async throws {
        #expect(try await Self.read(line).configuration.hostName == name)
    }

    @Test(arguments: ["\"\"", "\"a b\"", "a_b", "\"a\\r\\nb\"", "k\u{E4}se.example", "\"a:b\""])
    func `an invalid hostName is refused`(name: String) async {
        let complaint = await Self.complaint("hostName: \(name)")
        #expect(complaint.hasSuffix("hostName: letters, digits, - and ."), "\(complaint)")
    }

    @Test func `the default of hostName is valid in EHLO`() async throws {
        let name = try await Self.read().configuration.hostName
        #expect(!name.isEmpty && !name.contains { $0.isWhitespace })
    }

    @Test(arguments: [("user: gatepost", "gatepost"), ("user: \"\"", nil), ("", nil)])
    func `the user is a name, or nil if it is empty`(line: String, name: String?) async throws {
        #expect(try await Self.read(line).configuration.runAs == name)
    }

    // MARK: - The file

    @Test func `a missing file is named`() async {
        let error = await #expect(throws: ConfigurationError.self) {
            try await GatewayConfiguration(file: "/nowhere/gatepost.yaml", readsEnvironment: false)
        }
        #expect(error?.description.hasPrefix("/nowhere/gatepost.yaml cannot be read") == true)
    }

    @Test(arguments: ["a: [", "\t- x\n  y: z", "a: \"\n", "a: &x\n*y"])
    func `an invalid YAML file is reported with line and column, without its text`(
        text: String
    ) async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("secret-in-the-file: 1\n\(text)", as: "gatepost.yaml")
        let error = await #expect(throws: ConfigurationError.self) {
            try await GatewayConfiguration(file: file, readsEnvironment: false)
        }
        let said = error?.description ?? ""
        #expect(said.hasPrefix("\(file) cannot be read as YAML"), "\(said)")
        #expect(!said.contains("secret-in-the-file"))
    }

    @Test func `a named file that is missing is reported with the remedy gatepost init`() {
        let error = #expect(throws: ConfigurationError.self) {
            try GatewayConfiguration.locate("/nowhere/gatepost.yaml")
        }
        #expect(error?.description == "no configuration at /nowhere/gatepost.yaml: gatepost init")
    }

    @Test func `a named file is used`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x", as: "other.yaml")
        #expect(try GatewayConfiguration.locate(file) == file)
    }
}
