import ArgumentParser

/// A session as `gatepost session list` prints it: `7`, or `mail1/7` for a store with several nodes.
struct SessionIdentifier: Equatable, CustomStringConvertible, ExpressibleByArgument {
    /// The node; nil without one.
    var node: String?
    /// The session's number on its gateway.
    var number: UInt64

    init(_ number: UInt64, node: String? = nil) {
        self.node = node
        self.number = number
    }

    /// - Returns: nil for a text without a number at its end.
    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard let text = parts.last, let number = UInt64(text), parts.count <= 2 else { return nil }
        guard parts.count == 2 else {
            self.init(number)
            return
        }
        guard !parts[0].isEmpty else { return nil }
        self.init(number, node: String(parts[0]))
    }

    var description: String { self.node.map { "\($0)/\(self.number)" } ?? "\(self.number)" }
}
