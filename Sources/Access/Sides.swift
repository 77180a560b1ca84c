/// The two sides of an account, which are given and taken away apart from each other.
package struct Sides: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Every folder right.
    package static let view = Sides(rawValue: 1)
    /// Every send right.
    package static let send = Sides(rawValue: 2)
    package static let both: Sides = [.view, .send]

    package init(view: Bool, send: Bool) {
        self = []
        if view { self.insert(.view) }
        if send { self.insert(.send) }
    }

    /// `view`, `send`, `view send`, or nothing.
    package var words: String {
        [self.contains(.view) ? "view" : nil, self.contains(.send) ? "send" : nil]
            .compactMap { $0 }.joined(separator: " ")
    }
}

extension Grant {
    /// The sides on which it gives something.
    package var sides: Sides { Sides(view: !self.rights.isEmpty, send: self.send != .none) }
}

extension Withdrawal {
    /// The sides that it takes away.
    package var sides: Sides { Sides(view: self.view, send: self.send) }
}
