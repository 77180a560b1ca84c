import Foundation
import Store

/// Who runs the command.
extension Actor {
    /// The operating-system user who runs this command, and who became that one by sudo.
    static var current: Actor {
        let environment = ProcessInfo.processInfo.environment
        let original = environment["SUDO_USER"].flatMap { $0.isEmpty || $0 == "root" ? nil : $0 }
        return Actor(name: NSUserName(), userID: getuid(), original: original)
    }

    /// Whether somebody else than root runs this as the gateway's user.
    var isBySudo: Bool { self.original != nil && geteuid() != 0 }
}
