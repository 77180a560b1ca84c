import Testing

@testable import TLS

struct ApplicationProtocolsTests {
    /// Our preferences, a client's list octet by octet, and the choice.
    static let lists: [([String], [UInt8], String?)] = [
        (["imap"], [4] + Array("imap".utf8), "imap"),
        (["imap"], [2] + Array("h2".utf8) + [4] + Array("imap".utf8), "imap"),
        (["a", "b"], [1, 0x62, 1, 0x61], "a"),
        (["imap"], [], nil),
        (["imap"], [0], nil),
        (["imap"], [3] + Array("imap".utf8), nil),
        (["imap"], [5] + Array("imap".utf8), nil),
        (["imap"], [255], nil),
        (["imap"], [0, 4] + Array("imap".utf8), "imap"),
        ([], [4] + Array("imap".utf8), nil),
    ]

    @Test(arguments: Self.lists)
    func `an ALPN list is parsed by its lengths`(
        own: [String],
        offered: [UInt8],
        chosen: String?
    ) {
        let found = offered.withUnsafeBufferPointer { ApplicationProtocols(own).choose(from: $0) }
        #expect(found.map { String(decoding: offered[$0], as: UTF8.self) } == chosen)
    }

    @Test func `names without a wire form are omitted`() {
        let long = String(repeating: "x", count: 256)
        let protocols = ApplicationProtocols(["", long, "imap"])
        #expect(protocols.wireFormat == [4] + Array("imap".utf8))
        #expect(protocols.contains("imap"))
        #expect(!protocols.contains(long))
        #expect(ApplicationProtocols([""]).isEmpty)
    }
}
