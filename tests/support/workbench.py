"""An analyst at the workbench, for tests: pages are sent as a browser does, jobs done at once."""

import io
import re
import tomllib

from staffing import Office

from app.jobs.kinds import Tools, read_task
from geodata.repositories import job_queue
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import list_imports
from spatial.errors import SaferGroundError


class Workbench:
    """An analyst's browser, and work that is done when it is asked for."""

    def __init__(self, url, folder, **options):
        self.office = Office(url, folder, **options)
        self.office.add("ann", "analyst")
        self.browser = self.office.client("ann")

    def hand_in(self, content, name, page="/analyst/town/sources/add", browser=None):
        browser = browser or self.browser
        content = content.encode() if isinstance(content, str) else content
        data = {
            "csrf_token": browser.token("/account/password"),
            "file": (io.BytesIO(content), name),
        }
        return browser.post(page, data, content_type="multipart/form-data")

    def form(self, address):
        """Give the fields of the form that describes a file, as the page has them."""
        page = self.browser.get(address).text
        main = page[page.index('class="form describe"') : page.rindex("</form>")]
        fields = {}
        for tag in re.findall(r"<input[^>]*>", main):
            told = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            chosen = told.get("type") not in ("radio", "checkbox") or " checked" in tag
            if "name" in told and chosen:
                fields[told["name"]] = told.get("value", "")
        for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main, re.S):
            chosen = re.search(r'<option value="([^"]*)" selected', body)
            first = re.search(r'<option value="([^"]*)"', body)
            fields[name] = (chosen or first)[1]
        return fields

    def send(self, address, **changed):
        return self.browser.post(address, {**self.form(address), **changed})

    def work(self):
        """Do the work that waits, as a worker would; give what came of each job."""
        database, ended = self.office.database, []
        while True:
            with database.session(write=True) as session:
                job = job_queue.lease_job(session, "test:1:x")
            if job is None:
                return ended
            tools = Tools(database=database, settings=self.office.settings, who=job.asked_by)
            state, message, result = job_queue.DONE, None, None
            try:
                result = read_task(job.kind, job.arguments).work(tools, lambda *_: None)
            except SaferGroundError as error:
                state, message = job_queue.FAILED, str(error)
            with database.session(write=True) as session:
                job_queue.end_job(session, job, state, message=message, result=result)
            ended.append(result or message)

    def commit(self, address, **changed):
        """Check and add a file that was handed in, and import it."""
        checked = self.send(address, check="y", **changed)
        assert checked.status_code == 303, checked.text
        added = self.browser.send(f"{address}/commit", page=checked.location)
        assert added.status_code == 303, added.text
        return self.work()

    def toml(self, city="town"):
        return tomllib.loads((self.office.settings.cities / city / "city.toml").read_text())

    def city(self, slug="town"):
        with self.office.database.session() as session:
            return get_city(session, slug)

    def versions(self, slug="town"):
        with self.office.database.session() as session:
            return list_imports(session, slug)

    def undo(self, slug="town"):
        number = next(one.id for one in self.versions(slug) if one.undone_at is None)
        return self.browser.send(f"/analyst/{slug}/imports/{number}/undo", sure="y")
