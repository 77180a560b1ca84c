import IMAP
import NIOCore
import Support
import Testing

/// Commands with octets changed, put in and taken out: none traps, and what is understood is written so that it is
/// understood in the same way.
@Suite struct CommandMutationTests {
    private static let pool = Array("() \"\\{}[]<>*%$:,.+-\r\n\0\u{7F}019aZ\u{E4}".utf8)

    static let commands = CommandTests.rows.enumerated().filter { $0.element.1 != nil }.map(
        \.offset
    )

    /// The command on the wire after another reading; nil where it is refused.
    private static func rewritten(_ octets: [UInt8]) -> String? {
        guard case .command(_, let command) = CommandParser.parse(ByteBuffer(bytes: octets)) else {
            return nil
        }
        return CommandTests.encoded(command)
    }

    @Test(arguments: commands)
    func `a command that is cut off anywhere is another command or none`(row: Int) {
        let octets = Array(("a1 " + CommandTests.rows[row].0).utf8)
        for count in 0..<octets.count { self.expectStable(Array(octets.prefix(count))) }
    }

    @Test(arguments: commands)
    func `a command with octets changed is another command or none`(row: Int) {
        var random = Seeded(state: UInt64(row))
        let octets = Array(("a1 " + CommandTests.rows[row].0).utf8)
        for _ in 0..<120 {
            var changed = octets
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 3..<changed.count, using: &random)
                let octet = Self.pool[Int.random(in: Self.pool.indices, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[place] = octet
                case 1: changed.insert(octet, at: place)
                default: if changed.count > 5 { changed.remove(at: place) }
                }
            }
            self.expectStable(changed)
        }
    }

    private func expectStable(_ octets: [UInt8]) {
        guard let once = Self.rewritten(octets), once.first?.isUppercase == true,
            // Unknown events are answered, and go to no server.
            !once.contains("IMAP."), !(once.hasPrefix("NOTIFY") && once.contains(" ())"))
        else { return }
        let twice = Self.rewritten(Array(("a1 " + once).utf8))
        #expect(twice == once, "\(String(decoding: octets, as: UTF8.self).debugDescription)")
    }
}
