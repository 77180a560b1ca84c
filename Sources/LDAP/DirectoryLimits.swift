/// The limits of one connection to a directory server. A server that hangs, floods or lies could
/// occupy a thread or fill the memory without them.
package struct DirectoryLimits: Sendable {
    /// The time for the name resolution, the TCP connection and the TLS handshake, in seconds.
    package var connectSeconds: Int
    /// The time for one bind, or for one search with all its pages, in seconds.
    package var answerSeconds: Int
    /// The time for the members of groups, in seconds: that is many searches.
    package var membershipSeconds: Int
    /// The most octets of one LDAP message. A group of 100,000 members has about 8 MiB.
    package var messageOctets: Int
    /// The most octets of all names and values in the result of one search.
    package var resultOctets: Int
    /// The most values in the result of one search: each small value costs about 64 octets.
    package var resultValues: Int

    package init(
        connectSeconds: Int = 10,
        answerSeconds: Int = 15,
        membershipSeconds: Int = 120,
        messageOctets: Int = 16 * 1_024 * 1_024,
        resultOctets: Int = 64 * 1_024 * 1_024,
        resultValues: Int = 500_000
    ) {
        self.connectSeconds = connectSeconds
        self.answerSeconds = answerSeconds
        self.membershipSeconds = membershipSeconds
        self.messageOctets = messageOctets
        self.resultOctets = resultOctets
        self.resultValues = resultValues
    }
}
