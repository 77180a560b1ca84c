/// The triggers, which have the same effect as those of SQLite.
extension PostgreSQLSchema {
    /// Records the changed rows for the revision that the transaction makes.
    static var changes: String { self.triggers(of: Schema.recorded, from: 0) }

    /// The triggers for rows.
    /// - Parameter first: The number of the first row in the names of the triggers.
    static func triggers(of rows: [Schema.Recorded], from first: Int) -> String {
        rows.enumerated().map { index, row in
            let number = first + index
            let columns = row.columns.isEmpty ? "" : " OF " + row.columns.joined(separator: ", ")
            return ["OLD": "UPDATE OR DELETE", "NEW": "INSERT OR UPDATE"].sorted { $0.key < $1.key }
                .map { name, operations in
                    let condition = row.condition.replacing("$", with: name)
                    let operation = operations.replacing("UPDATE", with: "UPDATE\(columns)")
                    return """
                        CREATE FUNCTION rowChange\(number)\(name)() RETURNS trigger
                        LANGUAGE plpgsql AS $$
                        BEGIN
                            INSERT INTO rowChange (revision, kind, container, key)
                            SELECT value + 1, '\(row.kind)', \(row.container.replacing("$", with: name)),
                                \(row.key.replacing("$", with: name))
                            FROM revision WHERE \(condition == "1" ? "true" : condition);
                            RETURN NULL;
                        END $$;
                        CREATE TRIGGER rowChange\(number)\(name)
                        AFTER \(operation) ON \(row.table)
                        FOR EACH ROW EXECUTE FUNCTION rowChange\(number)\(name)();

                        """
                }.joined()
        }.joined()
    }

    /// Increments the version of all names.
    static let versions =
        """
        CREATE FUNCTION nameVersionChanged() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE nameVersion SET value = value + 1;
            RETURN NULL;
        END $$;

        """
        + [
            ("userNames", "INSERT OR DELETE OR UPDATE OF login ON user"),
            ("addressNames", "INSERT OR DELETE OR UPDATE ON address"),
            ("ownerNames", "UPDATE OF owner ON account"),
        ].map { name, event in
            """
            CREATE TRIGGER \(name) AFTER \(event)
            FOR EACH STATEMENT EXECUTE FUNCTION nameVersionChanged();

            """
        }.joined()

    /// Keeps records of the audit log from being changed, and from being deleted unless retention
    /// sealed the new start.
    static let protection = """
        CREATE FUNCTION auditChanged() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.sequence <= coalesce(
                (SELECT sequence FROM auditSeal WHERE kind = 'start' AND node = OLD.node), 0)
            THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the audit log is only appended to';
        END $$;
        CREATE TRIGGER auditChanged BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION auditChanged();
        """
}
