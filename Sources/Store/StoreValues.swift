import Foundation

/// A type whose values a column can hold.
protocol StoreValue: SQLiteValue, PostgreSQLValue, Sendable {}

/// Keys, counts, and moments in seconds.
extension Int64: StoreValue {}
/// Ports and counts.
extension Int: StoreValue {}
/// UIDs and UIDVALIDITY values (RFC 9051 §2.3.1.1).
extension UInt32: StoreValue {}
/// Stored as 0 or 1; the schema rejects other numbers.
extension Bool: StoreValue {}
/// Stored as TEXT in UTF-8, and compared octet for octet.
extension String: StoreValue {}
/// Stored as octets: folder paths, hashes and sealed passwords.
extension Data: StoreValue {}

/// A row, whose values are found by column name or position.
enum StoreRow {
    /// A row of SQLite.
    case sqlite(SQLiteRow)
    /// A row of PostgreSQL.
    case postgreSQL(PostgreSQLRow)

    /// The value of a column. Traps for NULL and for a value of another type, so use it only
    /// for columns whose schema rejects both.
    subscript<Value: StoreValue>(column: String) -> Value {
        switch self {
        case .sqlite(let row): row.required(column)
        case .postgreSQL(let row): row.required(column)
        }
    }

    /// The value of a column; nil for NULL.
    subscript<Value: StoreValue>(column: String) -> Value? {
        switch self {
        case .sqlite(let row): row.value(column)
        case .postgreSQL(let row): row.value(column)
        }
    }

    /// The value at a position, which takes less time than a name. It traps as above.
    subscript<Value: StoreValue>(position: Int) -> Value {
        switch self {
        case .sqlite(let row): row.required(at: position)
        case .postgreSQL(let row): row.required(at: Int32(position))
        }
    }

    /// The value at a position; nil for NULL.
    subscript<Value: StoreValue>(position: Int) -> Value? {
        switch self {
        case .sqlite(let row): row.value(at: position)
        case .postgreSQL(let row): row.value(at: Int32(position))
        }
    }

    /// The value of the first column; nil for NULL.
    func first<Value: StoreValue>() -> Value? { self[0] }

    /// All values, each with the type in which it is stored.
    var cells: [(any StoreValue)?] {
        let cells =
            switch self {
            case .sqlite(let row): row.cells
            case .postgreSQL(let row): row.cells
            }
        return cells.map { cell in
            switch cell {
            case .null: nil
            case .integer(let number): number
            case .text(let text): text
            case .octets(let octets): octets
            }
        }
    }

    /// Whether the query has a column of this name.
    func hasColumn(_ name: String) -> Bool {
        switch self {
        case .sqlite(let row): row.hasColumn(name)
        case .postgreSQL(let row): row.index(of: name) != nil
        }
    }
}

/// The values for each `?` of a statement, in order.
struct StoreArguments: ExpressibleByArrayLiteral, Sendable {
    /// The values.
    private(set) var values: [(any StoreValue)?]

    /// Values in order.
    init(arrayLiteral elements: (any StoreValue)?...) {
        self.values = elements
    }

    /// The values of a row, in order.
    init(cells: [(any StoreValue)?]) {
        self.values = cells
    }

    /// Values in order.
    init(_ elements: [any StoreValue]) {
        self.values = elements
    }

    /// The values of both.
    static func + (one: StoreArguments, other: StoreArguments) -> StoreArguments {
        var sum = one
        sum += other
        return sum
    }

    /// Appends values.
    static func += (one: inout StoreArguments, other: StoreArguments) {
        one.values += other.values
    }
}
