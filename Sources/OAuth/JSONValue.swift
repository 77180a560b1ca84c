/// A value of JSON (RFC 8259 §3).
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A finite number.
    case number(Double)
    case string(ExactText)
    case array([JSONValue])
    case object(JSONObject)

    /// The text of a string; nil for other types.
    var string: ExactText? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The texts of an array of strings; nil for other types, and with an element of another type.
    var strings: [ExactText]? {
        guard case .array(let elements) = self else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }
}

/// An object of JSON whose members have distinct names.
struct JSONObject: Equatable, Sendable {
    private var members: [ExactText: JSONValue] = [:]

    /// The value of a member; nil without it.
    subscript(_ name: ExactText) -> JSONValue? { self.members[name] }

    /// Adds a member.
    /// - Returns: false if there is one of this name.
    mutating func add(_ value: JSONValue, for name: ExactText) -> Bool {
        self.members.updateValue(value, forKey: name) == nil
    }
}
