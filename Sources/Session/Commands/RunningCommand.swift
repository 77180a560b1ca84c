import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The state machine of a command that waits for servers. The session holds it until the tagged response.
///
/// A reference type, because each response reads it, and a read must not copy it. One session owns it.
protocol RunningCommand: AnyObject {
    /// Takes an event of an account's server.
    ///
    /// - Returns: false if the event does not concern the command.
    /// - Throws: if the server broke the protocol; its connection is dropped then.
    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool

    /// A new permission snapshot is in force.
    func permissionsChanged(in context: inout some CommandContext)

    /// Whether the permissions in force no longer allow the command at an account's server. The connection is dropped
    /// then.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool

    /// The kind of answer that the command expects next from an account's server; nil if none. It decides how long the
    /// server may stay silent.
    ///
    /// - Parameter isInFlight: whether a command is in flight at that server.
    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer?
}

extension RunningCommand {
    func permissionsChanged(in context: inout some CommandContext) {}

    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        false
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        isInFlight ? .prompt : nil
    }
}
