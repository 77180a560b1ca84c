extension CommandReader {
    /// The limits on a client's octets in memory. What exceeds them is discarded and refused.
    package struct Limits: Sendable {
        /// The longest line. The longest real one is a FETCH or STORE with a long sequence set:
        /// 20,000 single UIDs take 120 to 220 KiB. A line without end would fill the memory.
        package var maximumLineOctets: Int
        /// The largest literal that is not a message: a name, a password or a search text.
        package var maximumLiteralOctets: Int
        /// The largest command without its messages: it is in memory until it is complete.
        package var maximumCommandOctets: Int
        /// The most literals. Each costs an announcement; a command of literals would never end.
        package var maximumLiterals: Int
        /// The largest message. Messages are streamed: this limits what a server has to store.
        package var maximumMessageOctets: UInt64
        /// The most octets of one command that are discarded to find its end. They are not kept,
        /// but without a limit one command would never end.
        package var maximumDiscardedOctets: UInt64

        /// Before login: enough for LOGIN and AUTHENTICATE.
        package static let beforeLogin = Limits(
            maximumLineOctets: 8 * 1_024,
            maximumLiteralOctets: 4 * 1_024,
            maximumCommandOctets: 16 * 1_024,
            maximumLiterals: 8,
            maximumMessageOctets: 0,
            maximumDiscardedOctets: 64 * 1_024
        )
        /// Before login with an access token, which may take 12,288 octets of base64 (as RFC 4954 §4
        /// allows for submission).
        package static let beforeTokenLogin = Limits(
            maximumLineOctets: 16 * 1_024,
            maximumLiteralOctets: 16 * 1_024,
            maximumCommandOctets: 20 * 1_024,
            maximumLiterals: 8,
            maximumMessageOctets: 0,
            maximumDiscardedOctets: 64 * 1_024
        )
        /// ID before login: 30 fields with names of 30 and values of 1,024 octets (RFC 2971 §3.3),
        /// as quoted strings or literals.
        package static let identification = Limits(
            maximumLineOctets: 40 * 1_024,
            maximumLiteralOctets: 4 * 1_024,
            maximumCommandOctets: 40 * 1_024,
            maximumLiterals: 60,
            maximumMessageOctets: 0,
            maximumDiscardedOctets: 64 * 1_024
        )
        /// After login.
        package static let afterLogin = Limits(
            maximumLineOctets: 256 * 1_024,
            maximumLiteralOctets: 128 * 1_024,
            maximumCommandOctets: 256 * 1_024,
            maximumLiterals: 500,
            maximumMessageOctets: 150 * 1_024 * 1_024,
            maximumDiscardedOctets: 512 * 1_024 * 1_024
        )
    }
}
