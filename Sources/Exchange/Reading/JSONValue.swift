/// A JSON value (RFC 8259), without the objects that Windows PowerShell 5.1 wraps around lists and
/// enumerations.
enum JSONValue: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The deepest nesting: Exchange uses a few levels, and decoding takes time for each level of
    /// each value.
    private static let maximumDepth = 32

    init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count <= Self.maximumDepth else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "more than \(Self.maximumDepth) levels")
            )
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            let members = try container.decode([String: JSONValue].self)
            if let value = try Self.unwrapped(members) {
                self = value
                return
            }
            // Names ignore case, so a duplicate would make the result ambiguous. Foundation has
            // already dropped exact duplicates.
            guard Set(members.keys.map { $0.lowercased() }).count == members.count else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: [], debugDescription: "a name occurs twice in one object")
                )
            }
            self = .object(members)
        }
    }

    /// The value that Windows PowerShell 5.1 wrapped: a list, `{"value":["Editor"],"Count":1}`, or
    /// an enumeration, `{"value":8,"Value":"Editor"}`.
    /// - Throws: `DecodingError` if a list has another number of elements than its Count.
    private static func unwrapped(_ members: [String: JSONValue]) throws -> JSONValue? {
        guard members.count == 2 else { return nil }
        if case .array(let elements)? = members["value"],
            case .number(let count)? = members["Count"]
        {
            guard Int(exactly: count) == elements.count else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: [], debugDescription: "a list that lacks elements")
                )
            }
            return .array(elements)
        }
        guard case .number? = members["value"], case .string(let word)? = members["Value"] else {
            return nil
        }
        return .string(word)
    }

    /// The member with a name; case does not matter.
    subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key] ?? members.first { $0.key.lowercased() == key.lowercased() }?.value
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
