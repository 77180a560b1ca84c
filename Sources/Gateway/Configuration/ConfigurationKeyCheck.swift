import Yams

/// A key of a configuration file that must not be there, or not with its value.
///
/// The parser is the one that reads the values: what it reads is what is checked.
struct ConfigurationKeyProblem: Error, Equatable {
    /// The characters of an unknown key that a message shows.
    private static let maximumShown = 64

    /// Counted from 1; nil if the parser does not tell it.
    var line: Int?
    /// What is wrong, without values of the file, which may be secrets.
    var reason: String

    private init(_ node: Node, reason: String) {
        self.line = node.mark?.line
        self.reason = reason
    }

    /// The first problem of a configuration; nil if every key is known and has the right shape.
    /// - Throws: an error of the parser if the text is not one document of YAML.
    static func first(in text: String) throws -> ConfigurationKeyProblem? {
        guard let root = try Parser(yaml: text).singleRoot() else { return nil }
        guard case .mapping(let keys) = root else {
            return root.isEmpty
                ? nil : ConfigurationKeyProblem(root, reason: "keys with values are needed")
        }
        return Self.first(in: keys, group: nil)
    }

    private static func first(
        in mapping: Node.Mapping,
        group: String?
    ) -> ConfigurationKeyProblem? {
        for (node, value) in mapping {
            let name = node.scalar?.string ?? ""
            let path = (group.map { "\($0)." } ?? "") + name
            guard !name.contains(".") else {
                return Self(node, reason: "a key has no dot: indent it below its group")
            }
            let known = ConfigurationKey.all.first { $0.path == path }
            guard let known else { return Self(node, reason: Self.unknown(path)) }
            if let reason = known.refusal(of: value) { return Self(node, reason: reason) }
            guard case .mapping(let inner) = value else { continue }
            if let problem = Self.first(in: inner, group: path) { return problem }
        }
        return nil
    }

    private static func unknown(_ path: String) -> String {
        let shown = String(path.prefix(Self.maximumShown))
        return "unknown key \(shown): the nearest key is \(ConfigurationKey.nearest(to: shown))"
    }
}

extension ConfigurationKey {
    /// Why the key must not have a value; nil if it may.
    fileprivate func refusal(of value: Node) -> String? {
        switch (self.shape, value) {
        case (.scalar, .scalar), (.list, .sequence), (.group, .mapping): nil
        case (.group, _) where value.isEmpty: nil
        case (.scalar, _): "\(self.path): one value is needed, not a list or a group"
        case (.list, _): "\(self.path): a list is needed, for example [\"a\", \"b\"]"
        case (.group, _): "\(self.path): it is a group: indent its keys below it"
        }
    }
}

extension Node {
    /// Whether the file has nothing here.
    fileprivate var isEmpty: Bool { self.scalar?.string.isEmpty ?? false }
}
