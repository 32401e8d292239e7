"""What a knowledge base says, written back as sheets: workbooks in the published layout, and one flat table."""
