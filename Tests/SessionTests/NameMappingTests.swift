import Access
import Foundation
import IMAP
import NIOCore
import Support
import Testing

@testable import Session

/// Maps client names to server names and back, for servers of every kind. The mapping back must return the client's
/// name, and no two client names may reach one server name, apart from the case of INBOX.
@Suite struct NameMappingTests {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// Anna's own account, Bob's account and a shared mailbox.
    private static let namespace = Namespace(views: [
        Namespace.View(account: 1, prefix: []),
        Namespace.View(account: 2, prefix: Array("Other Users/bob@kanzlei.example/".utf8)),
        Namespace.View(account: 3, prefix: Array("Shared/info@kanzlei.example/".utf8)),
    ])

    private static let servers: [AccountID: UpstreamNames] = [
        1: UpstreamNames(UpstreamProfile(capabilities: [], delimiter: Self.slash)),
        2: UpstreamNames(
            UpstreamProfile(
                capabilities: [],
                delimiter: Self.dot,
                personalPrefixes: [[], Array("INBOX.".utf8)],
                foreignPrefixes: [Array("Public.".utf8)]
            )
        ),
        3: UpstreamNames(UpstreamProfile(capabilities: [], delimiter: nil)),
    ]

    private static let parts = [
        "INBOX", "inbox", "Inbox", "Other Users", "Shared", "bob@kanzlei.example",
        "info@kanzlei.example", "Other Users/bob@kanzlei.example/", "Shared/info@kanzlei.example/",
        "/", "/", "//", ".", "..", "=2F", "=3D", "=", "2F", "&", "&-", "&AC8-", "&AAA-", "&AA0ACg-",
        "Public", "a", "A", "\u{FC}", "u\u{308}", "\u{E9}", "e\u{301}", "\u{1F4C1}", "\u{200B}",
        "\u{202E}", "\u{85}", "\u{2028}", "\u{760D}\u{760A}", " ", "*", "%", "\"", "\\", "{5+}",
        "~", "=_", "\t", "=09",
        "\u{0}", "\r\n", "\u{7F}", "\u{FEFF}", "K", "\u{212A}",
    ]

    @Test(arguments: 0..<4)
    func `a client name maps to a server name and back to the same client name`(part: Int) throws {
        // The client name that reached each server name.
        var reached: [AccountID: [[UInt8]: [UInt8]]] = [:]
        var count = 0
        for round in 0..<SessionFuzzTests.rounds * 2 {
            var generator = Seeded(state: UInt64(round * 4 + part) + 1)
            var name: [UInt8] = []
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                name += Array((Self.parts.randomElement(using: &generator) ?? "").utf8)
            }
            if Int.random(in: 0..<8, using: &generator) == 0 {
                name.append(UInt8.random(in: 0...255, using: &generator))
            }
            // In modified UTF-7, as a client should encode it, or raw.
            let isEncoded = Bool.random(using: &generator)
            let wire = isEncoded ? ModifiedUTF7.encode(name) : name
            let mailbox = ClientMailbox(wire: ByteBuffer(bytes: wire))
            guard let client = mailbox.name,
                case .folder(let account, let folder) = Self.namespace.resolve(client),
                let names = Self.servers[account], let server = names.name(of: folder)
            else { continue }
            count += 1
            let shown = "round \(round): \(String(decoding: wire, as: UTF8.self).debugDescription)"
            let octets = Array(server.readableBytesView)
            let isEscaped = UpstreamNames.isEscaped(folder)
            #expect(isEscaped || octets.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(shown)")
            #expect(!octets.contains { $0 == 0 || $0 == 10 || $0 == 13 }, "\(shown)")
            // The way back: the name that the server lists is the name that the client used.
            let back = try #require(names.folder(named: server), "\(shown)")
            #expect(back == folder, "\(shown)")
            let view = try #require(Self.namespace.view(of: account))
            let listed = MailboxName(Self.namespace.name(of: back, in: view))
            #expect(listed.octets == Self.canonical(client), "\(shown)")
            let again = ClientMailbox(wire: ByteBuffer(bytes: ModifiedUTF7.encode(listed.octets)))
            #expect(again.name == listed, "\(shown)")
            // No other client name reaches this server name, apart from the case of INBOX.
            if let other = reached[account]?.updateValue(listed.octets, forKey: octets) {
                #expect(other == listed.octets, "\(shown)")
            }
            // The prefix alone decides the account, whatever follows it.
            let isOthers = client.octets.starts(with: Array("Other Users/".utf8))
            let isShared = client.octets.starts(with: Array("Shared/".utf8))
            #expect(account == (isOthers ? 2 : isShared ? 3 : 1), "\(shown)")
            reached[account, default: [:]][octets] = listed.octets
        }
        #expect(count > SessionFuzzTests.rounds / 10 && reached.count == 3)
    }

    /// The name with INBOX in upper case, in every account.
    private static func canonical(_ name: MailboxName) -> [UInt8] {
        let prefix =
            Self.namespace.views.map(\.prefix).filter { name.octets.starts(with: $0) }
            .max { $0.count < $1.count } ?? []
        return prefix + MailboxName(Array(name.octets.dropFirst(prefix.count))).octets
    }
}
