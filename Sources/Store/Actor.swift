/// The operating-system user who runs a command.
package struct Actor: Equatable, Sendable {
    /// The user's name at the operating system.
    package var name: String
    /// The numeric user id; 0 is root.
    package var userID: UInt32
    /// The user who became this one through sudo; nil without sudo.
    package var original: String?

    /// Creates an actor from values that the caller took from the operating system.
    package init(name: String, userID: UInt32, original: String? = nil) {
        self.name = name
        self.userID = userID
        self.original = original
    }

    /// The name for the audit log: `NAME`, or `ORIGINAL as NAME` after sudo.
    package var recorded: String {
        self.original.map { "\($0) as \(self.name)" } ?? self.name
    }
}
